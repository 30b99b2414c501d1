/* told.h: a trace that a test writes, of what two hosts tell each other, and what a program prints of it. */
#ifndef QCAP_TEST_TOLD_H
#define QCAP_TEST_TOLD_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

#define TOLD_TIME 1000000000 /* 2001-09-09 01:46:40: of the first packet; each comes a second after the one before */

typedef struct told {
    char path[64];
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    uint32_t said[2];    /* bytes said by the client, by the server */
    int seconds;         /* time of the next packet */
    char output[16384];
} told_t;

/* For cmocka; both end the test if they cannot. */
int told_setup(void **state);
int told_teardown(void **state);

/* 10.0.0.1:40000 opens a connection to 10.0.0.2:80. */
void told_open(told_t *told);
void told_say(told_t *told, bool is_server, const char *text);
void told_close(told_t *told);

/* What the program prints of the trace so far: `arguments` go behind the trace. It has to exit with 0. */
const char *told_run(told_t *told, const char *program, const char *arguments);

#endif
