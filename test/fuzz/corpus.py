#!/usr/bin/env python3
"""The kept inputs of the fuzzers: test/fuzz/corpus.py unpack NAME FOLDER | pack FOLDER FILE

corpus/NAME.txt has an input a line, with \\n, \\r, \\t, \\xHH and \\\\ for what does not fit there.
libFuzzer wants each in a file of its own.
"""

import glob
import os
import re
import sys


def unescape(line):
    return re.sub(r"\\(?:x(..)|(.))",
                  lambda m: chr(int(m[1], 16)) if m[1] else {"n": "\n", "r": "\r", "t": "\t"}.get(m[2], m[2]),
                  line).encode("latin-1")


def escape(data):
    special = {10: "\\n", 13: "\\r", 9: "\\t", 92: "\\\\"}
    text = "".join(special.get(b) or (chr(b) if 32 <= b < 127 else "\\x%02x" % b) for b in data)
    # No line may end in a blank, that some editor would take away.
    return re.sub(" $", r"\\x20", text)


def unpack(name, folder):
    """The inputs of a fuzzer as files of a folder, which is made if need be; none when none are kept."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", name + ".txt")
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            for number, line in enumerate(file):
                with open(os.path.join(folder, "kept%05d" % number), "wb") as out:
                    out.write(unescape(line.rstrip("\n")))


def pack(inputs, path):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(escape(data) + "\n" for data in sorted(inputs, key=lambda i: (len(i), i)))


def main(command, source, target):
    if command == "unpack":
        unpack(source, target)
    elif command == "pack":
        inputs = []
        for path in glob.glob(os.path.join(source, "*")):
            with open(path, "rb") as file:
                inputs.append(file.read())
        pack(inputs, target)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
