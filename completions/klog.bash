# bash completion for klog

_klog() {
    local cur=${COMP_WORDS[COMP_CWORD]} out directive value IFS=$'\n'
    out=$(klog complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
    directive=${out##*:}
    out=${out%:*}
    COMPREPLY=()
    # 4: nothing but these; else file names, too.
    if (( directive & 4 )); then compopt +o default 2>/dev/null; fi
    while IFS=$'\t' read -r value _; do
        if [[ -n $value && $value == "$cur"* ]]; then COMPREPLY+=("$value"); fi
    done <<< "$out"
}

complete -o default -F _klog klog
