#compdef NAME
_custom_models() {
    local -a open closed
    local candidate
    for candidate in "${(@f)$(VARIABLE=zsh _CLAP_COMPLETE_INDEX=$((CURRENT - 1)) \
        NAME -- "${(@)words[1,CURRENT]}" 2>/dev/null)}"; do
        # What is gone on with, such as a folder, has no space behind it.
        if [[ $candidate == *(/|\\:) ]]; then
            open+=("$candidate")
        elif [[ -n $candidate ]]; then
            closed+=("$candidate")
        fi
    done
    (( $#open )) && _describe -V values open -S ''
    (( $#closed )) && _describe -V values closed
}
compdef _custom_models NAME
