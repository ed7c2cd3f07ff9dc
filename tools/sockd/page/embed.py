#!/usr/bin/env python3
"""Makes one page of status.html, status.css and status.js, and a C++ header of that.

embed.py HTML CSS JS OUTPUT

The style and the script go into the page, which names them by a <link> and a <script src>; the header has
their hashes, as Content-Security-Policy wants them.
"""

import base64
import hashlib
import sys
from pathlib import Path


def source_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def replaced(page: str, old: str, new: str) -> str:
    if page.count(old) != 1:
        sys.exit(f"embed.py: {old} is not in the page once")
    return page.replace(old, new)


def literal(text: str) -> str:
    """Raw, in pieces: compilers need not take one of more than 64 KiB."""
    if ')page"' in text:
        sys.exit("embed.py: the page has the end of a literal in it")
    return "\n".join(f'R"page({text[at:at + 8192]})page"' for at in range(0, len(text), 8192))


def main() -> None:
    html, css, js = (Path(path).read_text() for path in sys.argv[1:4])
    if "</style" in css or "</script" in js or "<!--" in js:
        sys.exit("embed.py: the style or the script would end early")
    page = replaced(html, '<link rel="stylesheet" href="status.css">', f"<style>{css}</style>")
    page = replaced(page, '<script src="status.js" defer></script>', "")
    page = replaced(page, "</body>", f"<script>{js}</script>\n</body>")
    Path(sys.argv[4]).write_text(f"""#pragma once

// Made by embed.py.

#include <string_view>

namespace sockd::embedded {{

inline constexpr std::string_view style_hash = "{source_hash(css)}";
inline constexpr std::string_view script_hash = "{source_hash(js)}";
inline constexpr std::string_view page = {literal(page)};

}}  // namespace sockd::embedded
""")


main()
