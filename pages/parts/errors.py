"""How a page tells what went wrong: the message and the next step; anything unforeseen is logged without its content."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.parts.markup import plain


@contextmanager
def told() -> Iterator[None]:
    """Show an error instead of raising it; the rest of the page goes on."""
    from backend.errors import BioloomError, Cancelled

    try:
        yield
    except Cancelled as error:
        st.info(f"{plain(error.message)} {plain(error.hint)}", icon=":material/block:")
    except BioloomError as error:
        show_error(error.message, error.hint)
    except Exception as error:
        from backend.log import log

        reference = secrets.token_hex(3).upper()
        log().error("page fault", reference=reference, exc_info=error)
        show_error(
            "Something inside Bioloom failed; nothing you gave was lost.",
            f"Try once more. If it happens again, report it with the reference {reference}: the log holds the place, not your text.",
        )


def show_error(message: str, hint: str = "") -> None:
    """What was wrong, and what to do next."""
    st.error(f"**{plain(message)}**" + (f"  \n{plain(hint)}" if hint else ""), icon=":material/error:")
