"""Stream specs proposed from samples. Pure: no clock, no environment, no network; it reads the file it is given."""

from windrow.proposal.evidence import Choices, Evidence, Option, Question
from windrow.proposal.proposal import Proposal, ProposedColumn, propose

__all__ = ["Choices", "Evidence", "Option", "Proposal", "ProposedColumn", "Question", "propose"]
