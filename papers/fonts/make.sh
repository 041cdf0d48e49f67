#!/usr/bin/env bash
# Makes NotoSansCJKsc-GB2312.otf again, from Debian's fonts-noto-cjk 1:20220127+repack1-1 and PyPI's fonttools 4.
set -euo pipefail
# From the top of the tree.
cd "$(git rev-parse --show-toplevel)"
# GB 2312 whole, what the program's own sentences need beyond it, and ASCII.
python3 - >papers/fonts/characters.txt <<'PY'
import glob
rows = (bytes([high, low]) for high in range(0xA1, 0xF8) for low in range(0xA1, 0xFF))
letters = set("".join(row.decode("gb2312", "ignore") for row in rows))
letters |= {chr(code) for code in range(0x20, 0x7F)} | set("¥￥·…—–‘’“”•×÷±°²³√□☐☑→←↑↓")
for name in glob.glob("locales/*.yml") + glob.glob("papers/src/**/*.rs", recursive=True):
    letters |= set(open(name, encoding="utf-8").read())
print("".join(sorted(letter for letter in letters if letter.isprintable())), end="")
PY
pyftsubset /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc --font-number=2 \
  --text-file=papers/fonts/characters.txt --layout-features= --no-hinting --notdef-outline \
  --name-IDs=0,1,2,3,4,5,6,13,14 --output-file=papers/fonts/NotoSansCJKsc-GB2312.otf
rm papers/fonts/characters.txt
