/* A Modbus client (libmodbus): takes one order a line, answers each with one line. A host is reached over TCP; a path is a
 * serial line. */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = 1, MOST = 64, BAUD = 115200 };
static modbus_t *ctx;

static void told(int result) {
  if (result != -1) {
    printf("ok");
  } else if (errno > MODBUS_ENOBASE && errno <= EMBXGTAR) {
    printf("exception %d", errno - MODBUS_ENOBASE);
  } else {
    printf("lost %s", modbus_strerror(errno));
  }
}

static void told_bits(int result, const uint8_t *bits) {
  told(result);
  for (int i = 0; i < result; i += 1) printf(" %d", bits[i]);
}

static void told_registers(int result, const uint16_t *registers) {
  told(result);
  for (int i = 0; i < result; i += 1) printf(" %d", registers[i]);
}

static void connect_to(const char *where, int port) {
  if (ctx != NULL) {
    modbus_close(ctx);
    modbus_free(ctx);
  }
  ctx = where[0] == '/' ? modbus_new_rtu(where, BAUD, 'N', 8, 1) : modbus_new_tcp(where, port);
  if (ctx == NULL) {
    told(-1);
    return;
  }
  modbus_set_slave(ctx, UNIT);
  modbus_set_response_timeout(ctx, 2, 0);
  told(modbus_connect(ctx));
}

int main(void) {
  char line[1024];
  while (fgets(line, sizeof line, stdin) != NULL) {
    const char *words[MOST + 4];
    int numbers[MOST + 4];
    int count = 0;
    const char *order = strtok(line, " \n");
    if (order == NULL) continue;
    for (char *word; count < MOST && (word = strtok(NULL, " \n")) != NULL; count += 1) {
      words[count] = word;
      numbers[count] = atoi(word);
    }
    uint8_t bits[MOST];
    uint16_t registers[MOST];
    if (strcmp(order, "connect") == 0) {
      connect_to(words[0], numbers[1]);
    } else if (strcmp(order, "read-coils") == 0) {
      told_bits(modbus_read_bits(ctx, numbers[0], numbers[1], bits), bits);
    } else if (strcmp(order, "read-discrete-inputs") == 0) {
      told_bits(modbus_read_input_bits(ctx, numbers[0], numbers[1], bits), bits);
    } else if (strcmp(order, "read-holding-registers") == 0) {
      told_registers(modbus_read_registers(ctx, numbers[0], numbers[1], registers), registers);
    } else if (strcmp(order, "read-input-registers") == 0) {
      told_registers(modbus_read_input_registers(ctx, numbers[0], numbers[1], registers), registers);
    } else if (strcmp(order, "write-coil") == 0) {
      told(modbus_write_bit(ctx, numbers[0], numbers[1]));
    } else if (strcmp(order, "write-register") == 0) {
      told(modbus_write_register(ctx, numbers[0], (uint16_t)numbers[1]));
    } else if (strcmp(order, "write-coils") == 0) {
      for (int i = 1; i < count; i += 1) bits[i - 1] = (uint8_t)numbers[i];
      told(modbus_write_bits(ctx, numbers[0], count - 1, bits));
    } else if (strcmp(order, "write-registers") == 0) {
      for (int i = 1; i < count; i += 1) registers[i - 1] = (uint16_t)numbers[i];
      told(modbus_write_registers(ctx, numbers[0], count - 1, registers));
    } else if (strcmp(order, "mask-register") == 0) {
      told(modbus_mask_write_register(ctx, numbers[0], (uint16_t)numbers[1], (uint16_t)numbers[2]));
    } else if (strcmp(order, "read-write-registers") == 0) {
      uint16_t written[MOST];
      for (int i = 3; i < count; i += 1) written[i - 3] = (uint16_t)numbers[i];
      told_registers(modbus_write_and_read_registers(ctx, numbers[2], count - 3, written, numbers[0], numbers[1], registers),
                     registers);
    } else if (strcmp(order, "report-server-id") == 0) {
      told(modbus_report_slave_id(ctx, MOST, bits));
    } else {
      printf("cannot");
    }
    printf("\n");
    fflush(stdout);
  }
  return 0;
}
