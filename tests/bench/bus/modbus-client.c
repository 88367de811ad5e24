/* A client of libmodbus: reads two holding registers as fast as it can, over TCP or a serial port, and says how many a second. */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec + at.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  double seconds = atof(argv[3]);
  modbus_t *ctx = strcmp(argv[1], "tcp") == 0 ? modbus_new_tcp("127.0.0.1", atoi(argv[2]))
                                              : modbus_new_rtu(argv[2], atoi(argv[1]), 'N', 8, 1);
  modbus_set_slave(ctx, 1);
  if (modbus_connect(ctx) < 0) return fprintf(stderr, "connect: %s\n", modbus_strerror(errno)), 1;
  uint16_t words[2];
  long reads = 0;
  double begun = now();
  while (now() - begun < seconds) {
    if (modbus_read_registers(ctx, 100, 2, words) != 2 || words[0] != 100) return 1;
    reads++;
  }
  printf("%f\n", reads / (now() - begun));
  return 0;
}
