/* A closed-loop Modbus/TCP client for measurements.
 *
 * Opens CONNECTIONS to 127.0.0.1:PORT, keeps one request outstanding on each, and after COUNT answers in all prints one line of JSON:
 *   {"p50","p99","max" (us), "perSecond", "reads", "writes", "errors"}
 * Seven requests of eight read ten holding registers from 0, the eighth writes 50 into register 5. An exception, a wrong transaction
 * identifier or length, a closed connection, and silence for 5 s are errors. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_ANSWER = 29, WRITE_ANSWER = 12, SILENCE_MS = 5000 };

struct connection {
  int fd;
  unsigned short id;
  size_t have, want;
  double asked;
  unsigned char in[300];
};

static long asked_reads, asked_writes, errors;

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

static void ask(struct connection *c, long serial) {
  unsigned char q[12] = {0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10};
  int writes = serial % 8 == 7;
  if (writes) q[7] = 6, q[9] = 5, q[11] = 50;
  c->id++;
  q[0] = (unsigned char)(c->id >> 8);
  q[1] = (unsigned char)c->id;
  c->want = writes ? WRITE_ANSWER : READ_ANSWER;
  c->have = 0;
  c->asked = now_us();
  writes ? asked_writes++ : asked_reads++;
  if (write(c->fd, q, sizeof q) != sizeof q) errors++;
}

static int is_wrong(const struct connection *c) {
  return c->in[0] != (unsigned char)(c->id >> 8) || c->in[1] != (unsigned char)c->id || c->in[7] & 0x80;
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: modbus-load PORT CONNECTIONS COUNT\n"), 2;
  int port = atoi(argv[1]), connections = atoi(argv[2]), one = 1, poll = epoll_create1(0), alive = connections;
  long count = atol(argv[3]), done = 0, asked = 0;
  double *latency = malloc(sizeof(double) * (size_t)count);
  struct connection *all = calloc((size_t)connections, sizeof *all);
  struct sockaddr_in at = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  for (int i = 0; i < connections; i++) {
    all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(all[i].fd, (void *)&at, sizeof at)) return perror("modbus-load: connect"), 1;
    setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event);
  }
  double start = now_us();
  for (int i = 0; i < connections && asked < count; i++) ask(&all[i], asked++);
  while (done < count && alive > 0) {
    struct epoll_event got[256];
    int n = epoll_wait(poll, got, 256, SILENCE_MS);
    if (n <= 0) {
      errors += asked - done;
      break;
    }
    for (int i = 0; i < n; i++) {
      struct connection *c = got[i].data.ptr;
      ssize_t r = read(c->fd, c->in + c->have, sizeof c->in - c->have);
      if (r <= 0) {
        close(c->fd);
        alive--, errors++, done++;
        continue;
      }
      c->have += (size_t)r;
      if (c->have < c->want && !(c->have >= 9 && c->in[7] & 0x80)) continue;
      latency[done++] = now_us() - c->asked;
      if (c->have != c->want || is_wrong(c)) errors++;
      if (asked < count) ask(c, asked++);
    }
  }
  double took = now_us() - start;
  long seen = done < count ? done : count;
  if (seen == 0) return fprintf(stderr, "modbus-load: no answer\n"), 1;
  qsort(latency, (size_t)seen, sizeof(double), by_value);
  printf("{\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f,\"perSecond\":%.1f,\"reads\":%ld,\"writes\":%ld,\"errors\":%ld}\n",
         latency[seen / 2], latency[seen * 99 / 100], latency[seen - 1], seen / (took / 1e6), asked_reads, asked_writes, errors);
  return 0;
}
