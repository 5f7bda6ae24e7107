#!/bin/sh
# Say what other programs write into a named pipe, line by line: fifo.sh PIPE. It makes the pipe where there is none.
pipe=$1
[ -p "$pipe" ] || mkfifo -m 660 "$pipe" || exit 1
exec 3<>"$pipe" # for writing too: the pipe does not end when a writer closes it
while read -r line <&3; do
    printf '%s\n' "$line"
done
