/* A Modbus/TCP server for measurements: ten thousand holding registers, one epoll thread, function codes 3 and 6.
 *
 * Listens on 127.0.0.1, on a port that it prints. Whoever connects to the second port that it prints gets one line of JSON and is closed:
 *   {"reads","writes"}: what has been executed since the start. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REGISTERS = 10000, MBAP = 7, LONGEST = 260 };

struct connection {
  int fd;
  size_t have;
  unsigned char in[4096];
};

static unsigned short registers[REGISTERS];
static unsigned long reads, writes;

static unsigned word(const unsigned char *at) { return (unsigned)(at[0] << 8 | at[1]); }

static void put(unsigned char *at, unsigned value) {
  at[0] = (unsigned char)(value >> 8);
  at[1] = (unsigned char)value;
}

static size_t refuse(unsigned char *answer, unsigned code) {
  put(answer + 4, 3);
  answer[7] |= 0x80;
  answer[8] = (unsigned char)code;
  return MBAP + 2;
}

static size_t execute(const unsigned char *q, size_t length, unsigned char *answer) {
  unsigned address = word(q + 8), what = word(q + 10);
  memcpy(answer, q, MBAP + 1);
  if (length != MBAP + 5) return refuse(answer, 3);
  if (q[7] == 3) {
    if (what < 1 || what > 125) return refuse(answer, 3);
    if (address + what > REGISTERS) return refuse(answer, 2);
    reads++;
    put(answer + 4, 3 + 2 * what);
    answer[8] = (unsigned char)(2 * what);
    for (unsigned i = 0; i < what; i++) put(answer + 9 + 2 * i, registers[address + i]);
    return MBAP + 2 + 2 * what;
  }
  if (q[7] != 6) return refuse(answer, 1);
  if (address >= REGISTERS) return refuse(answer, 2);
  writes++;
  registers[address] = (unsigned short)what;
  memcpy(answer, q, length);
  return length;
}

static int serve(struct connection *c) {
  ssize_t r = read(c->fd, c->in + c->have, sizeof c->in - c->have);
  if (r <= 0) return 0;
  c->have += (size_t)r;
  unsigned char out[16384];
  size_t used = 0, filled = 0;
  while (c->have - used >= MBAP + 1) {
    size_t length = 6u + word(c->in + used + 4);
    if (length < MBAP + 1 || length > LONGEST) return 0;
    if (c->have - used < length || filled + LONGEST > sizeof out) break;
    filled += execute(c->in + used, length, out + filled);
    used += length;
  }
  memmove(c->in, c->in + used, c->have - used);
  c->have -= used;
  return filled == 0 || write(c->fd, out, filled) == (ssize_t)filled;
}

static int listening(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof at;
  if (bind(fd, (void *)&at, sizeof at) || listen(fd, 4096) || getsockname(fd, (void *)&at, &size)) {
    perror("modbus-server");
    exit(1);
  }
  printf("%d\n", ntohs(at.sin_port));
  return fd;
}

int main(void) {
  int poll = epoll_create1(0), one = 1, modbus = listening(), counts = listening();
  fflush(stdout);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &modbus}, got[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, modbus, &event);
  event.data.ptr = &counts;
  epoll_ctl(poll, EPOLL_CTL_ADD, counts, &event);
  for (;;) {
    int n = epoll_wait(poll, got, 256, -1);
    for (int i = 0; i < n; i++) {
      if (got[i].data.ptr == &counts) {
        int fd = accept(counts, NULL, NULL);
        dprintf(fd, "{\"reads\":%lu,\"writes\":%lu}\n", reads, writes);
        close(fd);
      } else if (got[i].data.ptr == &modbus) {
        struct connection *c = calloc(1, sizeof *c);
        c->fd = accept(modbus, NULL, NULL);
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        event.data.ptr = c;
        epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event);
      } else {
        struct connection *c = got[i].data.ptr;
        if (serve(c)) continue;
        close(c->fd);
        free(c);
      }
    }
  }
}
