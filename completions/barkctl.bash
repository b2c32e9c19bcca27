# SPDX-License-Identifier: MIT
#
# Completion for bash. Commands and options are those that "barkctl help" names;
# models and voices those that are here. Nothing starts the daemon.

_barkctl_commands() {
	barkctl help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p'
}

_barkctl_options() {
	case "$1 $2" in
	"model fetch") echo --base --voices --vocab --name --tries --timeout \
		--quiet --json ;;
	"model import") echo --vocab --name ;;
	"model quantize") echo --to ;;
	"model remove") echo --yes ;;
	"model list" | "model verify" | "voice list") echo --json ;;
	"voice import") echo --model ;;
	"model "* | "voice "*) ;;
	*) barkctl help "$1" 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' ;;
	esac
}

_barkctl_models() {
	barkctl model list 2>/dev/null | cut -d ' ' -f 1
}

# [MODEL]: without, of the model that barkd uses.
_barkctl_voices() {
	barkctl voice list ${1:+-m "$1"} 2>/dev/null | cut -d ' ' -f 1
}

# What was given to -m or --model so far.
_barkctl_given_model() {
	local i
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-m | --model) echo "${COMP_WORDS[i + 1]}" ;;
		esac
	done
}

_barkctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} verb=${COMP_WORDS[2]} words='' files=''
	COMPREPLY=()

	if [ "$COMP_CWORD" = 1 ]; then
		words="$(_barkctl_commands) --help --version"
	elif [ "$cur" = = ] || [ "$prev" = = ]; then
		return
	else
		case $prev in
		-v | --voice) words="$(_barkctl_voices \
			"$(_barkctl_given_model)") none" ;;
		-m | --model) words=$(_barkctl_models) files=-d ;;
		--voices) words='v2/* v2/en_* none' ;;
		--priority) words='important message text notification progress' ;;
		--precision) words='f32 f16 bf16 int8 q4' ;;
		--mode) words='exact low-latency' ;;
		--shape) words='small large' ;;
		--to) words='int8 q4' ;;
		-o | --output | --vocab | --semantic | --coarse | --fine)
			files=-f ;;
		-l | --language | --rate | --volume | --pitch | --seed | \
			--base | --name | --tries | --timeout | --threads | \
			--text | --max-semantic | --semantic-tokens) return ;;
		help) words=$(_barkctl_commands) ;;
		esac
	fi
	if [ -z "$words$files" ]; then
		case $cur in
		-*) words=$(_barkctl_options "$command" "$verb") ;;
		*) case "$command:$COMP_CWORD:$verb" in
			model:2:*) words='list fetch import verify quantize remove' ;;
			voice:2:*) words='list import remove' ;;
			notify:2:*) words='pause resume status' ;;
			notify:3:pause) words='15m 30m 1h 2h' ;;
			model:*:verify | model:*:quantize | model:*:remove)
				words=$(_barkctl_models) ;;
			model:*:import) files=-d ;;
			voice:*:remove) words=$(_barkctl_voices) ;;
			voice:*:import) files=-f ;;
		esac ;;
		esac
	fi
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	fi
	if [ -n "$files" ]; then
		compopt -o filenames 2>/dev/null
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < \
			<(compgen "$files" -- "$cur")
	fi
}

complete -F _barkctl barkctl
