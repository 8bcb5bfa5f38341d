"""A request of a connection and, in time, its answer: answers leave in the order in which requests came."""

from typing import TYPE_CHECKING

from mlplatform_cdk.serving.container.heads import Head
from mlplatform_cdk.serving.container.messages import Answer

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.protocol import Connection


class Exchange:
    """A request and its answer.

    :param connection: that it came by.
    :param head: of the request; None: an answer to what was none.
    :param size: of the request's body, in bytes; default: 0.
    """

    __slots__ = ("answer", "connection", "head", "size")

    def __init__(self, connection: "Connection", head: Head | None, size: int = 0) -> None:
        self.connection, self.head, self.size = connection, head, size
        self.answer: Answer | bytes | None = None

    def reply(self, answer: Answer) -> None:
        """Take the answer; it leaves once those before it have left."""
        self.answer = answer
        connection = self.connection
        if connection.exchanges and connection.exchanges[0] is self:
            connection.flush()
