/* pcap_loop.c: libpcap's loop over a trace, with a handler that counts. */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

typedef struct counts {
    uint64_t packets, bytes;
} counts_t;

static void on_packet(unsigned char *user, const struct pcap_pkthdr *header, const unsigned char *bytes)
{
    counts_t *counts = (counts_t *)(void *)user;
    (void)bytes;
    counts->packets++;
    counts->bytes += header->len;
}

int main(int argc, char **argv)
{
    char reason[PCAP_ERRBUF_SIZE] = "usage: pcap_loop TRACE";
    counts_t counts = {0, 0};
    pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], reason) : NULL;
    if (!pcap) {
        fprintf(stderr, "%s\n", reason);
        return 2;
    }
    int status = pcap_loop(pcap, -1, on_packet, (unsigned char *)(void *)&counts);
    printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", counts.packets, counts.bytes);
    pcap_close(pcap);
    return status ? 1 : 0;
}
