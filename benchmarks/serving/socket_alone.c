/* Answers every request with the same bytes: socket_alone PORT BODY_BYTES spin|wait < ANSWER

   It looks for the end of the head and counts BODY_BYTES after it; nothing is parsed. One thread, one epoll. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1024, MOST_BYTES = 65536, MOST_EVENTS = 256 };

static char requests[MOST_CONNECTIONS][MOST_BYTES];
static size_t arrived[MOST_CONNECTIONS];
static char answer[MOST_BYTES];

static void answer_one(int connection, size_t answer_bytes, size_t body_bytes) {
    if (connection >= MOST_CONNECTIONS) exit(2);
    char *request = requests[connection];
    size_t *bytes = &arrived[connection];
    ssize_t more = read(connection, request + *bytes, MOST_BYTES - *bytes);
    if (more <= 0) {
        *bytes = 0;
        close(connection);
        return;
    }
    *bytes += (size_t)more;
    char *end = memmem(request, *bytes, "\r\n\r\n", 4);
    if (end == NULL || *bytes < (size_t)(end - request) + 4 + body_bytes) return;
    *bytes = 0;
    if (write(connection, answer, answer_bytes) < 0) close(connection);
}

int main(int count, char **words) {
    if (count != 4) return 2;
    size_t body_bytes = (size_t)atoi(words[2]);
    size_t answer_bytes = 0;
    for (ssize_t more; (more = read(0, answer + answer_bytes, MOST_BYTES - answer_bytes)) > 0;)
        answer_bytes += (size_t)more;
    int timeout = strcmp(words[3], "spin") == 0 ? 0 : -1;

    struct sockaddr_in place = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)atoi(words[1])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, listening = socket(AF_INET, SOCK_STREAM, 0), events = epoll_create1(0);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listening, (struct sockaddr *)&place, sizeof place) || listen(listening, MOST_EVENTS)) return 1;
    struct epoll_event wanted = {.events = EPOLLIN, .data.fd = listening}, ready[MOST_EVENTS];
    epoll_ctl(events, EPOLL_CTL_ADD, listening, &wanted);
    for (;;) {
        int found = epoll_wait(events, ready, MOST_EVENTS, timeout);
        for (int i = 0; i < found; i++) {
            if (ready[i].data.fd != listening) {
                answer_one(ready[i].data.fd, answer_bytes, body_bytes);
                continue;
            }
            wanted.data.fd = accept(listening, NULL, NULL);
            setsockopt(wanted.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            epoll_ctl(events, EPOLL_CTL_ADD, wanted.data.fd, &wanted);
        }
    }
}
