_custom_models() {
    # Bash splits words at colons too: here they are put together again, up to the cursor.
    local rest=${COMP_LINE:0:COMP_POINT} words=() word count=0
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if ((count == 0)) || [[ $rest == [[:space:]]* ]]; then
            ((count += 1))
        fi
        rest=${rest#"${rest%%[![:space:]]*}"}
        [[ $word == "$rest"* ]] && word=$rest
        words[count - 1]+=$word
        rest=${rest#"$word"}
    done
    # Bash replaces only what is behind the last colon.
    local kept=${words[count - 1]%"$2"} candidate
    COMPREPLY=()
    while IFS= read -r candidate || [[ -n $candidate ]]; do
        candidate=${candidate#"$kept"}
        COMPREPLY+=("${candidate// /\\ }")
    done < <(VARIABLE=bash _CLAP_COMPLETE_INDEX=$((count - 1)) NAME -- "${words[@]}" 2>/dev/null)
    if [[ ${COMPREPLY-} == *[/:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o nosort -F _custom_models NAME 2>/dev/null ||
    complete -o bashdefault -F _custom_models NAME
