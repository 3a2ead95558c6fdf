/* A Modbus server of another make (libmodbus) for the evasion tests: 32 of each table, several connections, one thread. */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  modbus_t *ctx = modbus_new_tcp(argv[1], atoi(argv[2]));
  modbus_mapping_t *map = modbus_mapping_new(32, 32, 32, 32);
  int listener = modbus_tcp_listen(ctx, 8);
  if (ctx == NULL || map == NULL || listener == -1) return 1;
  printf("ready\n");
  fflush(stdout);
  fd_set open_sockets;
  FD_ZERO(&open_sockets);
  FD_SET(listener, &open_sockets);
  int highest = listener;
  for (;;) {
    fd_set ready = open_sockets;
    if (select(highest + 1, &ready, NULL, NULL, NULL) == -1) return errno == EINTR ? 0 : 1;
    for (int fd = 0; fd <= highest; fd += 1) {
      if (!FD_ISSET(fd, &ready)) continue;
      if (fd == listener) {
        int accepted = modbus_tcp_accept(ctx, &listener);
        if (accepted == -1) continue;
        FD_SET(accepted, &open_sockets);
        if (accepted > highest) highest = accepted;
        continue;
      }
      uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
      modbus_set_socket(ctx, fd);
      int length = modbus_receive(ctx, query);
      if (length > 0) {
        modbus_reply(ctx, query, length, map);
      } else if (length == -1) {
        close(fd);
        FD_CLR(fd, &open_sockets);
      }
    }
  }
}
