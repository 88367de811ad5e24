/* A Modbus TCP server of libmodbus: answers whoever connects, several at once, until its standard input ends. */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  modbus_t *ctx = modbus_new_tcp("127.0.0.1", 0);
  modbus_mapping_t *map = modbus_mapping_new(0, 0, 1000, 1000);
  for (int i = 0; i < 1000; i++) map->tab_registers[i] = map->tab_input_registers[i] = i;
  int server = modbus_tcp_listen(ctx, 8);
  if (server < 0) return fprintf(stderr, "listen: %s\n", modbus_strerror(errno)), 1;
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  getsockname(server, (struct sockaddr *)&address, &size);
  unsigned char *port = (unsigned char *)&address + 2;
  printf("%d\n", port[0] << 8 | port[1]);
  fflush(stdout);
  fd_set all;
  FD_ZERO(&all);
  FD_SET(server, &all);
  FD_SET(0, &all);
  int top = server;
  for (;;) {
    fd_set ready = all;
    if (select(top + 1, &ready, NULL, NULL, NULL) < 0) return 1;
    if (FD_ISSET(0, &ready)) return 0;
    for (int fd = 1; fd <= top; fd++) {
      if (!FD_ISSET(fd, &ready)) continue;
      if (fd == server) {
        int peer = modbus_tcp_accept(ctx, &server);
        if (peer < 0) continue;
        FD_SET(peer, &all);
        if (peer > top) top = peer;
        continue;
      }
      uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
      modbus_set_socket(ctx, fd);
      int length = modbus_receive(ctx, query);
      if (length > 0) modbus_reply(ctx, query, length, map);
      else if (length < 0) {
        close(fd);
        FD_CLR(fd, &all);
      }
    }
  }
}
