"""Print the commands of a Markdown file's ``sh ci`` blocks, so that CI runs what people paste."""

import re
import sys
from pathlib import Path

blocks = re.findall(r"^```sh ci\n(.*?)^```$", Path(sys.argv[1]).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
if not blocks:
    sys.exit(f"{sys.argv[1]} has no ```sh ci block: CI would check nothing")
sys.stdout.write("\n".join(blocks))
