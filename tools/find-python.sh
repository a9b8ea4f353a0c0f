#!/bin/sh
# Print the first Python 3.11+ that really starts (a version manager's shim may exist and not work).
# Usage: find-python.sh [INTERPRETER]     an interpreter that is named is the only one tried
old=""
for name in ${1:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
    version=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "$name"
        exit 0
    fi
    old="$old $name is $version;"
done
echo "AfterScene needs Python 3.11 or newer:${old:- none was found.}" \
     "Install one, or name it: make PYTHON=/path/to/python3.11" >&2
exit 1
