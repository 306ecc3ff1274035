"""Signs of a generated text that cannot be seen, made visible."""

from __future__ import annotations

import unicodedata

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # Unicode's categories of control, format, unassigned and line signs


def visible(text: str) -> str:
    """The text with each control or format sign but line ends and tabs as its escape, such as \\x1b: none can act on who reads it."""
    return "".join(_escape(sign) if unicodedata.category(sign) in _UNSEEN and sign not in "\n\t" else sign for sign in text)


def _escape(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
