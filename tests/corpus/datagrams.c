/* datagrams.c: the datagrams of a capture, for tests/corpus/check.
 *
 * In: a capture. Out, on standard output, a line for each UDP datagram: `udp`, its number, source, destination, and the bytes it
 * carries on the wire; and for each that was put together from fragments: `whole`, the number of the last one, source and
 * destination addresses, how many fragments it had, and what it carries, in hexadecimal. */
#include <inttypes.h>
#include <stdio.h>

#include "decode.h"
#include "packet.h"
#include "qcap.h"

static void on_udp(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    qcap_endpoint_t source, destination;
    char texts[2][QCAP_ENDPOINT_SIZE];
    (void)stage, (void)user;
    qcap_packet_source(packet, &source);
    qcap_packet_destination(packet, &destination);
    printf("udp\t%" PRIu64 "\t%s\t%s\t%u\n", qcap_packet_number(packet),
           qcap_endpoint_print(&source, texts[0], sizeof texts[0]),
           qcap_endpoint_print(&destination, texts[1], sizeof texts[1]), packet->headers.payload_wire);
}

static void on_whole(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    qcap_endpoint_t source, destination;
    char texts[2][QCAP_ENDPOINT_SIZE];
    size_t len, begin = packet->headers.transport - packet->headers.network;
    const unsigned char *bytes = qcap_packet_network(packet, &len);
    (void)stage, (void)user;
    qcap_packet_source(packet, &source);
    qcap_packet_destination(packet, &destination);
    printf("whole\t%" PRIu64 "\t%s\t%s\t%zu\t", qcap_packet_number(packet),
           qcap_address_print(&source, texts[0], sizeof texts[0]),
           qcap_address_print(&destination, texts[1], sizeof texts[1]), qcap_packet_constituent_count(packet));
    for (size_t i = begin; i < len; i++)
        printf("%02x", bytes[i]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    qcap_t *q = argc == 2 ? qcap_open_trace(argv[1], errbuf) : NULL;
    if (!q)
        return 2;
    qcap_packet_handler_add(q, QCAP_STAGE_UDP_DELIVERED, on_udp, NULL);
    qcap_packet_handler_add(q, QCAP_STAGE_DEFRAGMENTED, on_whole, NULL);
    int status = qcap_loop(q, 0);
    qcap_close(q);
    return status ? 1 : 0;
}
