#compdef NAME
_NAME() {
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
# A file in a folder of $fpath is loaded, and called, at the first Tab.
if [[ ${funcstack[1]} == _NAME ]]; then
    _NAME "$@"
else
    compdef _NAME NAME
fi
