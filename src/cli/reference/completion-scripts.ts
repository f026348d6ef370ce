import { script } from '@bomb.sh/tab';
import { captureLog } from './capture-log.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** What a shell loads once; at each Tab it asks `klog complete`. */
export function completionScript(shell: Shell): string {
  return shell === 'bash' ? BASH : `${captureLog(() => script(shell, 'klog', 'klog')).trimEnd()}\n`;
}

/**
 * Own, because @bomb.sh/tab's needs the bash-completion package, and evaluates the words of the line: `klog x '$(rm
 * y)'` and Tab would run it.
 */
const BASH = `# bash completion for klog

_klog() {
    local cur=\${COMP_WORDS[COMP_CWORD]} out directive value IFS=$'\\n'
    out=$(klog complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
    directive=\${out##*:}
    out=\${out%:*}
    COMPREPLY=()
    # 4: nothing but these; else file names, too.
    if (( directive & 4 )); then compopt +o default 2>/dev/null; fi
    while IFS=$'\\t' read -r value _; do
        if [[ -n $value && $value == "$cur"* ]]; then COMPREPLY+=("$value"); fi
    done <<< "$out"
}

complete -o default -F _klog klog
`;
