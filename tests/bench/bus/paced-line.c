/*
 * A serial line at a given speed between two pseudo-terminals, with a libmodbus RTU server on the far one unless told
 * otherwise. Every byte takes its eleven bits in both directions; the silence before each request and the server's
 * turnaround are measured. Prints the near path and the far path; when its standard input ends, one line of figures:
 * requests, silences shorter than the standard's, then in us the shortest and the median silence, the mean turnaround
 * and the median time from request to request.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void until(int64_t due) {
  struct timespec at = {due / 1000000000LL, due % 1000000000LL};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static int terminal(char *path, size_t size) {
  int fd = posix_openpt(O_RDWR | O_NOCTTY);
  grantpt(fd);
  unlockpt(fd);
  snprintf(path, size, "%s", ptsname(fd));
  int held = open(path, O_RDWR | O_NOCTTY);
  struct termios raw;
  tcgetattr(held, &raw);
  cfmakeraw(&raw);
  tcsetattr(held, TCSANOW, &raw);
  return fd;
}

static void serve(const char *path, int baud) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  modbus_t *ctx = modbus_new_rtu(path, baud, 'N', 8, 1);
  modbus_set_slave(ctx, 1);
  modbus_mapping_t *map = modbus_mapping_new(0, 0, 1000, 1000);
  for (int i = 0; i < 1000; i++) map->tab_registers[i] = i;
  if (modbus_connect(ctx) < 0) exit(1);
  for (;;) {
    uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
    int length = modbus_receive(ctx, query);
    if (length > 0) modbus_reply(ctx, query, length, map);
  }
}

static int less(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

#define TURNS 200000
static int64_t turns[TURNS], silences[TURNS], cycles[TURNS];

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int baud = atoi(argv[1]);
  int64_t character = 11 * 1000000000LL / baud;
  int64_t pause = baud > 19200 ? 1750000 : character * 7 / 2;
  char near[64], far[64];
  int sides[2] = {terminal(near, sizeof near), terminal(far, sizeof far)};
  pid_t server = 0;
  if (argc < 3 && (server = fork()) == 0) serve(far, baud);
  prctl(PR_SET_TIMERSLACK, 1);
  printf("%s %s\n", near, far);
  fflush(stdout);
  long requests = 0, short_ones = 0, turned = 0, quiet = 0;
  int64_t last = 0, asked = 0, before = 0, turning = 0;
  int from = -1;
  for (;;) {
    struct pollfd ready[3] = {{sides[0], POLLIN, 0}, {sides[1], POLLIN, 0}, {0, POLLIN, 0}};
    poll(ready, 3, -1);
    if (ready[2].revents) break;
    for (int side = 0; side < 2; side++) {
      if (!(ready[side].revents & POLLIN)) continue;
      unsigned char bytes[512];
      int64_t heard = now();
      ssize_t count = read(sides[side], bytes, sizeof bytes);
      if (count <= 0) continue;
      if (side == 0 && from != 0) {
        requests++;
        if (last > 0) {
          int64_t silence = heard - last;
          if (quiet < TURNS) cycles[quiet] = heard - before, silences[quiet++] = silence;
          if (silence < pause) short_ones++;
        }
        before = heard;
      }
      if (side == 1 && from == 0 && turned < TURNS) turning += turns[turned++] = heard - asked;
      from = side;
      /* The first bit leaves now, or when the byte before has gone. */
      int64_t line = heard > last ? heard : last;
      for (ssize_t i = 0; i < count; i++) {
        line += character;
        until(line);
        if (write(sides[1 - side], bytes + i, 1) != 1) return 1;
      }
      last = line;
      if (side == 0) asked = now();
    }
  }
  if (server > 0) kill(server, SIGKILL), waitpid(server, NULL, 0);
  qsort(turns, turned, sizeof *turns, less);
  qsort(cycles, quiet, sizeof *cycles, less);
  qsort(silences, quiet, sizeof *silences, less);
  printf("%ld %ld %.1f %.1f %.1f %.1f\n", requests, short_ones, quiet ? silences[0] / 1e3 : 0,
         quiet ? silences[quiet / 2] / 1e3 : 0, turned ? turning / 1e3 / turned : 0,
         quiet ? cycles[quiet / 2] / 1e3 : 0);
  return 0;
}
