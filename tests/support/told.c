/* told.c: packets to a file, and a program that reads it. */
#include "told.h"

#include <unistd.h>

#include "test.h"
#include "traffic.h"

int told_setup(void **state)
{
    told_t *told = calloc(1, sizeof *told);
    assert_non_null(told);
    *state = told;
    strcpy(told->path, "/tmp/qcap-told-XXXXXX");
    int file = mkstemp(told->path);
    assert_true(file >= 0);
    told->pcap = pcap_open_dead(TRAFFIC_LINK_TYPE, 65535);
    told->dumper = pcap_dump_fopen(told->pcap, fdopen(file, "wb"));
    assert_non_null(told->dumper);
    told->seconds = TOLD_TIME;
    return 0;
}

int told_teardown(void **state)
{
    told_t *told = *state;
    pcap_dump_close(told->dumper);
    unlink(told->path);
    pcap_close(told->pcap);
    free(told);
    return 0;
}

static void write_segment(told_t *told, const traffic_segment_t *segment)
{
    static unsigned char packet[TRAFFIC_MAX];
    struct pcap_pkthdr header = {.ts = {.tv_sec = told->seconds++}};
    header.len = header.caplen = (bpf_u_int32)traffic_build_tcp(packet, segment);
    pcap_dump((unsigned char *)told->dumper, &header, packet);
}

/* The next one of either side. */
static traffic_segment_t segment_of(const told_t *told, bool is_server)
{
    return (traffic_segment_t){.from_server = is_server,
                               .seq = (is_server ? 5000 : 1000) + told->said[is_server],
                               .ack = (is_server ? 1000 : 5000) + told->said[!is_server]};
}

void told_open(told_t *told)
{
    told->said[0] = told->said[1] = 0;
    write_segment(told, &(traffic_segment_t){.flags = "S", .seq = 999});
    write_segment(told, &(traffic_segment_t){.from_server = true, .flags = "SA", .seq = 4999, .ack = 1000});
}

void told_say(told_t *told, bool is_server, const char *text)
{
    traffic_segment_t segment = segment_of(told, is_server);
    segment.text = text;
    write_segment(told, &segment);
    told->said[is_server] += (uint32_t)strlen(text);
}

void told_close(told_t *told)
{
    for (int side = 0; side < 2; side++) {
        traffic_segment_t segment = segment_of(told, side);
        segment.flags = "FA";
        write_segment(told, &segment);
        told->said[side]++;
    }
}

const char *told_run(told_t *told, const char *program, const char *arguments)
{
    char command[512];
    const char *build = getenv("BUILD");
    pcap_dump_flush(told->dumper);
    snprintf(command, sizeof command, "%s/%s %s %s", build ? build : "build", program, told->path, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t len = fread(told->output, 1, sizeof told->output - 1, pipe);
    told->output[len] = '\0';
    assert_int_equal(pclose(pipe), 0);
    return told->output;
}
