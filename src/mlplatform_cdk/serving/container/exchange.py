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

    __slots__ = ("answer", "connection", "head", "lost", "size")

    def __init__(self, connection: "Connection", head: Head | None, size: int = 0) -> None:
        self.connection, self.head, self.size = connection, head, size
        self.answer: Answer | bytes | None = None
        self.lost = False

    def reply(self, answer: Answer) -> None:
        """Take the answer; it leaves once those before it have left."""
        if self.lost:
            answer.drop()
            return
        self.answer = answer
        connection = self.connection
        if connection.exchanges and connection.exchanges[0] is self:
            connection.flush()

    def lose(self) -> None:
        """The client has gone: nobody takes the answer, whether it is here or comes later."""
        self.lost = True
        if isinstance(self.answer, Answer):
            self.answer.drop()
