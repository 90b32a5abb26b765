"""A provider's profile, for somebody who may act for that provider.

Source: contract, section 2.
"""

from __future__ import annotations

from typing import Any

from common.context import Context
from common.errors import Forbidden, Missing
from common.store import collections


def profile_of(context: Context, provider_id: str) -> dict[str, Any]:
    """The provider's profile.

    Raises:
        Missing: nobody of that id, or not for the caller to know.
        Forbidden: the caller is somebody, but no provider.
    """
    context.act(provider_id=provider_id, what="provider")
    context.notes["providerId"] = provider_id
    key = collections.profile(provider_id)
    profile = context.read(key)[key].data
    if profile is None or profile.get("role") != "PROVIDER":
        if provider_id == context.caller.uid:
            raise Forbidden("Only providers have earnings; create your account first")
        raise Missing("provider")
    return profile
