# SPDX-License-Identifier: MIT
#
# Completion for fish. Commands and options are those that "barkctl help" names;
# models and voices those that are here. Nothing starts the daemon.

# Words before the one that is completed, without "barkctl".
function __barkctl_words
    set -l words (commandline -opc)
    set -e words[1]
    set -q words[1]; and printf '%s\n' $words
end

function __barkctl_at
    set -l words (__barkctl_words)
    test (count $words) = (count $argv); or return 1
    for i in (seq (count $argv))
        test "$words[$i]" = "$argv[$i]"; or return 1
    end
end

# Whether the words begin with these.
function __barkctl_in
    set -l words (__barkctl_words)
    for i in (seq (count $argv))
        test "$words[$i]" = "$argv[$i]"; or return 1
    end
end

function __barkctl_commands
    barkctl help 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2'
end

function __barkctl_models
    barkctl model list 2>/dev/null | string replace -r ' .*' ''
end

# Of the model that was given so far, else of the one that barkd uses.
function __barkctl_voices
    set -l words (__barkctl_words)
    set -l model
    for i in (seq (count $words))
        if contains -- "$words[$i]" -m --model; and set -q words[(math $i + 1)]
            set model -m $words[(math $i + 1)]
        end
    end
    barkctl voice list $model 2>/dev/null | string replace -r ' .*' ''
    echo none
end

# A command's options, with what help says of them.
function __barkctl_options
    set -l words (__barkctl_words)
    set -l wanted
    switch "$words[1] $words[2]"
        case 'model fetch'
            set wanted --base --voices --vocab --name --tries --timeout --quiet --json
        case 'model import'
            set wanted --vocab --name
        case 'model quantize'
            set wanted --to
        case 'model remove'
            set wanted --yes
        case 'model list' 'model verify' 'voice list'
            set wanted --json
        case 'voice import'
            set wanted --model
        case 'model *' 'voice *'
        case '*'
            barkctl help $words[1] 2>/dev/null | string match -ra -- '--[a-z][a-z-]+'
    end
    set -q wanted[1]; and printf '%s\n' $wanted
end

# After which option the value is completed.
function __barkctl_after
    set -l words (__barkctl_words)
    set -q words[1]; and contains -- "$words[-1]" $argv
end

set -l values -v --voice -m --model --voices --priority --precision --mode --shape --to -o --output --vocab \
    --semantic --coarse --fine -l --language --rate --volume --pitch --seed --base --name --tries --timeout \
    --threads --text --max-semantic --semantic-tokens
set -l free "not __barkctl_after $values; and "

complete -c barkctl -f
complete -c barkctl -n __barkctl_at -a '(__barkctl_commands)'
complete -c barkctl -n '__barkctl_at help' -a '(__barkctl_commands)'
complete -c barkctl -n "$free"'test (count (__barkctl_words)) -gt 0; and string match -q -- "-*" (commandline -ct)' \
    -a '(__barkctl_options)'
complete -c barkctl -n '__barkctl_after -v --voice' -a '(__barkctl_voices)'
complete -c barkctl -n '__barkctl_after -m --model' -a '(__barkctl_models)' -F
complete -c barkctl -n '__barkctl_after --voices' -a 'v2/\* v2/en_\* none'
complete -c barkctl -n '__barkctl_after --priority' -a 'important message text notification progress'
complete -c barkctl -n '__barkctl_after --precision' -a 'f32 f16 bf16 int8 q4'
complete -c barkctl -n '__barkctl_after --mode' -a 'exact low-latency'
complete -c barkctl -n '__barkctl_after --shape' -a 'small large'
complete -c barkctl -n '__barkctl_after --to' -a 'int8 q4'
complete -c barkctl -n '__barkctl_after -o --output --vocab --semantic --coarse --fine' -F
complete -c barkctl -n '__barkctl_at model' -a 'list fetch import verify quantize remove'
complete -c barkctl -n '__barkctl_at voice' -a 'list import remove'
complete -c barkctl -n '__barkctl_at notify' -a 'pause resume status'
complete -c barkctl -n '__barkctl_at notify pause' -a '15m 30m 1h 2h'
for verb in verify quantize remove
    complete -c barkctl -n "$free""__barkctl_in model $verb" -a '(__barkctl_models)'
end
complete -c barkctl -n "$free"'__barkctl_in model import' -F
complete -c barkctl -n "$free"'__barkctl_in voice import' -F
complete -c barkctl -n "$free"'__barkctl_in voice remove' -a '(__barkctl_voices)'
