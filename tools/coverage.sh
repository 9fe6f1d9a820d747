#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Line coverage of our code by the unit and scenario tests.
# usage: tools/coverage.sh JOBS, after the preset coverage was built
set -eu
cd "$(dirname "$0")/.."

folder=build/coverage
find $folder -name '*.gcda' -delete
MAKEFLAGS='' ctest --preset coverage -j "$1" --progress -L '^(unit|scenario)$'
# lcov's Perl warns about lcov itself.
quiet_lcov() { lcov --quiet "$@" 2> >(grep -v '^Subroutine .* redefined' >&2); }
# A file that no test reaches leaves no counts: the first capture lists it with none.
quiet_lcov --capture --initial --directory $folder --output-file $folder/none.info
quiet_lcov --capture --directory $folder --output-file $folder/run.info
quiet_lcov --add-tracefile $folder/none.info --add-tracefile $folder/run.info --output-file $folder/all.info
quiet_lcov --extract $folder/all.info "$PWD/src/*" "$PWD/include/*" "$PWD/text/*" "$PWD/sniff/*" "$PWD/port/*" "$PWD/firmware/model/*" "$PWD/apps/*" \
    --output-file $folder/larch.info
lcov --list $folder/larch.info
genhtml --quiet --output-directory $folder/html $folder/larch.info
echo "line by line: $folder/html/index.html"
