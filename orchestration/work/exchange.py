"""The one place where the coordinator and the agents meet: a folder of batches going out and proposals coming back.

    <exchange>/<agent>/<batch>/batch.json        written by the coordinator
    <exchange>/<agent>/<batch>/credential.jwt    written by the coordinator, for that agent alone to hand back
    <exchange>/<agent>/<batch>/proposals.json    written by the agents' side

Agents see this folder and nothing else of the coordinator's: no store, no graph. What comes back is only read here,
as untrusted text; whether it may be taken is `intake`'s question.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError

from orchestration.contracts import Batch, Contract, ProposalSet
from orchestration.errors import NotFound, PrecedeError
from orchestration.work import folders

LIMIT: Final = 64 * 1024 * 1024
"""Bytes that one file of the exchange may have."""
_NAME: Final = re.compile(r"[a-z0-9_-]{1,64}")
_BATCH: Final = "batch.json"
_CREDENTIAL: Final = "credential.jwt"
_ANSWER: Final = "proposals.json"

_Model = TypeVar("_Model", bound=Contract)


class ExchangeError(PrecedeError):
    """Something in the exchange that cannot be taken; the message never repeats its content."""


class Exchange:
    """The exchange folder.

    Args:
        root: Where it is; made when the first batch is offered.
        limit: Bytes that one file may have.
    """

    def __init__(self, root: Path, *, limit: int = LIMIT) -> None:
        self.root = root
        self.limit = limit

    def check(self, batch: Batch) -> None:
        """Refuse a batch that could not be offered.

        Raises:
            ExchangeError: It is too large for one file, or a name in it is not safe.
        """
        self._written(batch, batch.agent, batch.batch_id)

    def offer(self, batch: Batch, credential: str) -> None:
        """Leave a batch for its agent, and what to answer it with; a batch that is there already stays as it is.

        The credential takes the place of an earlier one. Its owner alone may read it, or the folder's group too where
        the folder hands its group on: that is how an agent with an operating system user of its own gets to it.

        Raises:
            ExchangeError: It is too large for one file, or a name in it is not safe.
        """
        content = self._written(batch, batch.agent, batch.batch_id)
        with folders.opened(self.root, batch.agent, batch.batch_id, create=True) as folder:
            if folder is not None:
                folders.write(folder, _CREDENTIAL, credential.encode(), private=True)  # no agent finds a batch without
                if not folders.present(folder, _BATCH):
                    folders.write(folder, _BATCH, content)

    def agents(self) -> list[str]:
        """The agents that have a folder here, by name."""
        with folders.opened(self.root) as root:
            return [] if root is None else [name for name in folders.listed(root) if _NAME.fullmatch(name)]

    def waiting(self, agent: str) -> list[str]:
        """The ids of an agent's batches that have no answer yet."""
        return self._having(agent, answered=False)

    def answered(self, agent: str) -> list[str]:
        """The ids of an agent's batches that have an answer, whatever it says."""
        return self._having(agent, answered=True)

    def read_batch(self, agent: str, batch_id: str) -> Batch:
        """The batch that waits for an agent.

        Raises:
            NotFound: There is none.
            ExchangeError: What stands there is not that batch.
        """
        batch = self._read(agent, batch_id, _BATCH, Batch)
        return _belonging(batch, batch.agent, batch.batch_id, agent, batch_id)

    def read_credential(self, agent: str, batch_id: str) -> str:
        """What an agent was given to answer a batch with; empty where there is nothing to be read."""
        _named(agent, batch_id)
        with folders.opened(self.root, agent, batch_id) as folder:
            try:
                content = None if folder is None else folders.read(folder, _CREDENTIAL, self.limit)
                return "" if content is None else content.decode("ascii").strip()
            except (folders.UnsafeFileError, UnicodeDecodeError):
                return ""

    def answer(self, answer: ProposalSet) -> None:
        """Leave an agent's answer beside its batch; a second one takes the place of the first until it is taken in.

        Raises:
            NotFound: No such batch waits.
            ExchangeError: It is too large for one file, or a name in it is not safe.
        """
        content = self._written(answer, answer.agent, answer.batch_id)
        cleared_meanwhile = suppress(FileNotFoundError)
        with cleared_meanwhile, folders.opened(self.root, answer.agent, answer.batch_id) as folder:
            if folder is not None and folders.present(folder, _BATCH):
                folders.write(folder, _ANSWER, content)
                return
        raise NotFound(f"No batch {answer.batch_id} waits for {answer.agent} in {self.root}.")

    def read_answer(self, agent: str, batch_id: str) -> ProposalSet:
        """An agent's answer, checked for form alone.

        Raises:
            NotFound: There is none.
            ExchangeError: It is no answer to that batch: unreadable, too large, malformed, or another's.
        """
        answer = self._read(agent, batch_id, _ANSWER, ProposalSet)
        return _belonging(answer, answer.agent, answer.batch_id, agent, batch_id)

    def reject(self, agent: str, batch_id: str) -> None:
        """Remove an answer, so that its batch waits again; nothing happens where there is none."""
        _named(agent, batch_id)
        with folders.opened(self.root, agent, batch_id) as folder:
            if folder is not None:
                folders.removed(folder, _ANSWER)

    def clear(self, agent: str, batch_id: str) -> None:
        """Remove a batch and its answer; nothing happens where there is none."""
        _named(agent, batch_id)
        with folders.opened(self.root, agent) as folder:
            if folder is not None:
                folders.removed(folder, batch_id)

    def _having(self, agent: str, *, answered: bool) -> list[str]:
        _named(agent)
        with folders.opened(self.root, agent) as folder:
            names = [] if folder is None else [name for name in folders.listed(folder) if _NAME.fullmatch(name)]
        return [name for name in names if self._holds(agent, name, _ANSWER if answered else _BATCH, answered=answered)]

    def _holds(self, agent: str, batch_id: str, file: str, *, answered: bool) -> bool:
        with folders.opened(self.root, agent, batch_id) as folder:
            if folder is None or not folders.present(folder, file):
                return False
            return answered or not folders.present(folder, _ANSWER)

    def _read(self, agent: str, batch_id: str, file: str, model: type[_Model]) -> _Model:
        _named(agent, batch_id)
        where = f"{agent}/{batch_id}/{file}"
        with folders.opened(self.root, agent, batch_id) as folder:
            try:
                content = None if folder is None else folders.read(folder, file, self.limit)
                if content is not None:
                    return model.model_validate_json(content)
            except folders.UnsafeFileError as error:
                raise ExchangeError(f"{where}: {error}.") from error
            except ValidationError as error:
                raise ExchangeError(f"{where}: {malformed(error)}.") from error
        raise NotFound(f"There is no {where} in {self.root}.")

    def _written(self, content: Contract, agent: str, batch_id: str) -> bytes:
        _named(agent, batch_id)
        written = content.model_dump_json().encode()
        if len(written) > self.limit:
            raise ExchangeError(
                f"{agent}/{batch_id}: found {len(written):,} bytes; needed at most {self.limit:,} in one batch or "
                "answer; let the agent's trigger.sql return fewer rows."
            )
        return written


def malformed(error: ValidationError, most: int = 5) -> str:
    """What a value lacks, field by field, without repeating the value: it may be a secret or a person's."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{'.'.join(map(str, fault['loc'][:4])) or 'it'}: {fault['type']}" for fault in faults[:most]]
    return "; ".join(told) + (f" and {len(faults) - most} more" if len(faults) > most else "")


def _named(*names: str) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise ExchangeError(
                f"Found the name {name[:80]!r}; needed 1 to 64 of a-z, 0-9, _ and -; rename the agent or batch."
            )


def _belonging(content: _Model, agent: str, batch_id: str, agent_asked: str, batch_asked: str) -> _Model:
    if (agent, batch_id) != (agent_asked, batch_asked):
        raise ExchangeError(f"{agent_asked}/{batch_asked}: it names another agent or batch than the folder it is in.")
    return content
