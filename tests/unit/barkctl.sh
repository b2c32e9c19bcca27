#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: barkctl.sh BARKCTL FIXTURES
# Exit statuses and the one line on stderr, without a daemon. FIXTURES: those of
# the parity tests, for models and voices to import.
set -euo pipefail
barkctl=$1 model=$2/small/model voice=$2/small/voices/short.npz
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export BARKD_SOCKET=$tmp/none.sock HOME=$tmp
unset XDG_DATA_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR
failed=0

# NAME STATUS PATTERN ARGUMENT...: PATTERN must match the one line on stderr
# of a failure, or the output of a success.
expect() {
	local name=$1 want=$2 pattern=$3 got=0 seen lines
	shift 3
	"$barkctl" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
	seen=$tmp/err
	[ "$want" != 0 ] || seen=$tmp/out
	lines=$(wc -l <"$tmp/err")
	if [ "$got" != "$want" ]; then
		echo "not ok barkctl/$name: exit status $got, not $want"
	elif [ "$want" != 0 ] && [ "$lines" != 1 ]; then
		echo "not ok barkctl/$name: $lines lines on stderr"
	elif [ -n "$pattern" ] && ! grep -qE -- "$pattern" "$seen"; then
		echo "not ok barkctl/$name: '$(head -n 3 "$seen")'"
	else
		echo "ok barkctl/$name"
		return
	fi
	failed=1
}

expect version 0 '^barkctl [0-9]+\.[0-9]+' --version
expect help 0 '^  say ' help
expect 'help of a command' 0 '--priority' help say
expect '--help' 0 '--priority' say --help
expect 'help of nothing' 2 'no such command: dance' help dance
expect 'no command' 2 'barkctl help'
expect 'unknown command' 2 'no such command: dance' dance
expect 'control characters' 2 'no such command: a b;' $'a\nb'
expect 'no text' 2 'needs a text' say
expect 'unknown option' 2 "unknown option '--loud'" say --loud hello
expect 'unknown letter' 2 "unknown option '-x'" say -x hello
expect 'option without value' 2 "'--rate' needs a value" say hello --rate
expect 'letter without value' 2 "'-v' needs a value" say hello -v
expect 'rate is no number' 2 '--rate takes a number' say --rate fast hello
expect 'rate is nan' 2 '--rate takes a number' say --rate nan hello
expect 'rate too large' 2 '0.25 to 6' say --rate 60 hello
expect 'negative seed' 2 '--seed takes a whole' say --seed -1 hello
expect 'unknown priority' 2 'important, message' say --priority high hello
expect 'text without a text' 2 'needs a text' text
expect 'text of a model that is not there' 1 "no model 'nothing'" text -m nothing hello
expect 'stop with arguments' 2 'takes no arguments' stop now
expect 'no daemon' 1 'systemctl --user start barkd.socket' say hello
expect 'no daemon, status' 1 'run .barkd.' status --json
expect 'no daemon, stop' 1 'run .barkd.' stop
expect 'model without verb' 2 "model takes 'list'" model
mkdir -p "$tmp/.local/share/barkd/models/fake"
echo '[' >"$tmp/.local/share/barkd/models/fake/config.json"
expect 'model list' 0 '^fake .*/barkd/models/fake$' model list
expect 'verify of nonsense' 1 'config.json' model verify fake
expect 'import of nothing' 1 'No such file' model import "$tmp/nothing"
expect 'verify of nothing' 1 "no model 'nothing'" model verify nothing
expect 'voice without path' 2 "voice takes 'list'" voice import
expect 'voice that is not there' 1 'x.npz: neither' voice import x.npz
mkdir "$tmp/empty"
expect 'import of an empty folder' 1 'empty' model import "$tmp/empty"
expect 'bad name' 1 'cannot be a model' model import --name ../x "$tmp/empty"

data=$tmp/.local/share/barkd

# What is spoken, a segment a line; of published models what was written.
voice_model=$(dirname "$2")/../../voices/slt
text() {
	local name=$1 want=$2 got
	shift 2
	got=$("$barkctl" text "$@" 2>&1) || got="$got (exit status $?)"
	if [ "$got" = "$want" ]; then
		echo "ok barkctl/text: $name"
	else
		echo "not ok barkctl/text: $name: '$got'"
		failed=1
	fi
}
text 'written out' 'It costs five pounds and fifty pence.' \
	-m "$voice_model" 'It costs £5.50.'
text 'a line for each segment' 'Doctor Tran is here, they say.
He has three cats, and a dog.' -l en -m "$voice_model" \
	'Dr. Tran is here, they say. He has 3 cats,
and a dog.'
text 'several arguments' 'A to B' -m "$voice_model" 'A →' B
text 'as it is' 'tic £5 → toc' -m "$model" 'tic £5 → toc'
text 'nothing' "barkctl: the text has nothing to say (exit status 1)" \
	-m "$voice_model" ' '
text 'what it cannot say' \
	"barkctl: the model cannot say the text's characters (exit status 1)" \
	-m "$model" '→'
text 'from standard input' 'percent' -m "$voice_model" - < <(printf %s '%')

# same_from_file PRECISION: quantized at load or in a file, it says the same.
same_from_file() {
	local at

	for at in tiny "tiny-$1"; do
		expect "trace $at, $1" 0 '' trace -m "$at" --precision "$1" \
			--seed 3 --text 'tic toc' -o "$tmp/$at"
	done
	if cmp "$tmp/tiny/fine.npy" "$tmp/tiny-$1/fine.npy" &&
	   cmp "$tmp/tiny/audio.npy" "$tmp/tiny-$1/audio.npy"; then
		echo "ok barkctl/$1 at load or in a file"
	else
		echo "not ok barkctl/$1 at load or in a file: they differ"
		failed=1
	fi
}

# damage FILE: writes over its middle.
damage() {
	head -c 4096 /dev/zero | tr '\0' '\377' |
		dd of="$1" bs=4096 seek=$(($(stat -c %s "$1") / 8192)) \
			conv=notrunc status=none
}

cp -r "$model" "$tmp/cut"
truncate -s -1 "$tmp/cut/model.safetensors"
expect 'import of a cut model' 1 'model.safetensors' model import "$tmp/cut"
expect 'model import' 0 "imported as 'tiny'" model import --name tiny "$model"
expect 'import again' 1 'is there already' model import --name tiny "$model"
expect 'model verify' 0 'models/tiny: .* f32 weights' model verify tiny
expect 'quantize to what' 2 '--to int8' model quantize tiny
expect 'quantize to f16' 2 'int8' model quantize tiny --to f16
expect '--to without quantize' 2 '--to int8' model verify tiny --to int8
expect 'quantize' 0 "quantized as 'tiny-int8'" model quantize tiny --to int8
expect 'quantize again' 1 'is there already' model quantize tiny --to int8
expect 'quantize twice' 1 'quantized already' model quantize tiny-int8 --to int8
expect 'quantized list' 0 '/models/tiny-int8 .int8.$' model list
expect 'quantized verify' 0 ' int8 weights' model verify tiny-int8
expect 'quantized, another precision' 1 'needs the original' \
	trace -m tiny-int8 --precision f16 --text hi -o "$tmp/trace"
same_from_file int8
expect 'trace, quantized, no precision' 0 '' trace -m tiny-int8 --seed 3 \
	--text 'tic toc' -o "$tmp/trace"
if [ -e "$data/models/tiny-int8/model.safetensors" ]; then
	echo "not ok barkctl/quantized: the original's weights are there"
	failed=1
fi
(
	ulimit -f 100
	trap '' XFSZ
	expect 'quantize on a full disk' 1 'model.gguf: File too large' \
		model quantize "$model" --to int8
	[ $failed = 0 ]
) || failed=1
if [ -n "$(find "$data/models" -name '.*')" ] || [ -e "$data/models/model-int8" ]; then
	echo "not ok barkctl/quantize leaves a half"
	failed=1
fi
file=$data/models/tiny-int8/model.gguf
damage "$file"
expect 'verify of changed weights' 1 'sums|finite' model verify tiny-int8
truncate -s -100 "$file"
expect 'verify of a cut one' 1 'model.gguf: the file is truncated' \
	model verify tiny-int8
rm -r "$data/models/tiny-int8"
expect 'quantize to q4' 0 "quantized as 'tiny-q4'" model quantize tiny --to q4
expect 'q4 list' 0 '/models/tiny-q4 .q4.$' model list
expect 'q4 verify' 0 ' q4 weights' model verify tiny-q4
expect 'q4, another precision' 1 'needs the original' \
	trace -m tiny-q4 --precision int8 --text hi -o "$tmp/trace"
same_from_file q4
damage "$data/models/tiny-q4/model.gguf"
expect 'verify of changed q4 weights' 1 'sums|finite|multiplier' \
	model verify tiny-q4
rm -r "$data/models/tiny-q4"
expect 'voice import' 0 'say -v anna' voice import -m tiny "$voice" anna
expect 'voice import again' 1 'already' voice import -m tiny "$voice" anna
expect 'voice list' 0 '^anna ' voice list -m tiny
expect "the model's own voice in the list" 0 "^tiny .*own" voice list -m tiny
expect "the model's own voice, found by a path" 0 "^tiny .*own" \
	voice list -m "$data/models/tiny/"
expect "speaks with the model's own voice" 0 '' \
	render -m tiny -v tiny -o "$tmp/own.wav" Hello.
expect 'voice list as JSON' 0 '"name": "anna"' voice list --json -m tiny
expect 'model list as JSON' 0 '"name": "tiny"' model list --json
expect 'voice of three files' 0 'say -v bob' \
	voice import -m tiny "${voice%.npz}_coarse_prompt.npy" bob
expect 'voice by prefix' 0 'say -v short' voice import -m tiny "${voice%.npz}"
expect 'voice of another kind' 1 'already' voice import -m tiny "$voice" bob
expect 'voices of a folder, one there' 1 'short is there already' \
	voice import -m tiny "${voice%/*}"
expect 'voice remove' 0 '' voice remove short
expect 'many voices, one name' 2 'keep their names' \
	voice import -m tiny "${voice%/*}" carl
rm -f "$data"/voices/long*
mkdir "$tmp/presets"
cp "${voice%.npz}"_* "$tmp/presets"
cp "${voice%/*}/long.npz" "$tmp/presets"
expect 'voices of a folder' 0 'say -v long' voice import -m tiny "$tmp/presets"
expect 'voices in the list' 0 '^short ' voice list -m tiny
expect 'speaks with three files' 0 '' \
	render -m tiny -v bob -o "$tmp/b.wav" Hello.
expect 'no preset' 1 'neither an .npz' voice import -m tiny "$tmp/empty"
expect 'no voice to remove' 1 "no imported voice 'dora'" voice remove dora
expect 'voice remove, path' 1 'no imported voice' voice remove ../voices/bob
expect 'voice remove, three files' 0 '' voice remove bob
expect 'voice is gone' 1 'no voice' render -m tiny -v bob -o "$tmp/c.wav" hi
if find "$data/voices" -name 'bob*' | grep .; then
	echo "not ok barkctl/voice remove leaves something"
	failed=1
fi
expect '--json without list' 2 '--json goes with list' model remove --json x
expect 'verify as JSON' 0 '"voices": [0-9]' model verify --json tiny
expect '--yes without remove' 2 '--yes goes with remove' model verify -y tiny
head -c 200 "$voice" >"$tmp/cut.npz"
expect 'import of a cut voice' 1 'cut.npz' voice import -m tiny "$tmp/cut.npz" x
expect 'render' 0 '' render -m tiny -v anna -o "$tmp/a.wav" Hello there.
if cmp -s "$voice" "$data/voices/anna.npz" &&
	diff -r "$model" "$data/models/tiny" >&2 &&
	[ -z "$(find "$data" -name '.*')" ]; then
	echo "ok barkctl/imports are whole"
else
	echo "not ok barkctl/imports are whole: $(find "$data" | tr '\n' ' ')"
	failed=1
fi

unset BARKD_SOCKET
expect 'no session' 1 'XDG_RUNTIME_DIR is not set' say hello
printf 'a\0b' >"$tmp/nul"
if "$barkctl" say - <"$tmp/nul" 2>"$tmp/err" ||
	! grep -q 'NUL byte' "$tmp/err"; then
	echo "not ok barkctl/nul byte: $(cat "$tmp/err")"
	failed=1
else
	echo "ok barkctl/nul byte"
fi
if "$barkctl" help >/dev/full 2>"$tmp/err"; then
	echo "not ok barkctl/full disk: exit status 0"
	failed=1
else
	echo "ok barkctl/full disk"
fi
exit $failed
