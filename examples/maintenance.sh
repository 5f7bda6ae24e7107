#!/bin/sh
# Announce a prefix while a file is missing, withdraw it while the file is there: maintenance.sh PREFIX FILE.
announced=
while :; do
    if [ -e "$2" ]; then wanted=withdraw; else wanted=announce; fi
    if [ "$wanted" != "$announced" ]; then
        echo "$wanted route $1 next-hop self"
        read -r answer || exit 0
        [ "$answer" = done ] && announced=$wanted
    fi
    sleep 1
done
