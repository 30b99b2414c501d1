/* filter.c: pcap-filter(7) expressions for frames that libpcap did not read.
 *
 * An expression is compiled by libpcap, for each link type when the first frame of that type comes: a file may have
 * several. The list of programs has no more than there are link types that are decoded. */
#include "filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

#define SNAP_LEN 262144

struct qcapint_program {
    qcapint_program_t *next;
    int link_type;
    struct bpf_program code;
};

static void free_programs(qcapint_program_t *program)
{
    while (program) {
        qcapint_program_t *next = program->next;
        pcap_freecode(&program->code);
        free(program);
        program = next;
    }
}

/* NULL, and the reason in filter->error, if the expression means nothing there. */
static qcapint_program_t *compile(qcapint_filter_t *filter, const char *expression, int link_type)
{
    qcapint_program_t *program = calloc(1, sizeof *program);
    pcap_t *pcap = pcap_open_dead(link_type, SNAP_LEN);
    bool is_good = program && pcap && pcap_compile(pcap, &program->code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (is_good)
        program->link_type = link_type;
    else
        snprintf(filter->error, sizeof filter->error, "%s", program && pcap ? pcap_geterr(pcap) : "out of memory");
    if (pcap)
        pcap_close(pcap);
    if (!is_good) {
        free(program);
        program = NULL;
    }
    return program;
}

int qcapint_filter_set(qcapint_filter_t *filter, const char *expression, int link_type)
{
    qcapint_program_t *program = NULL;
    char *copy = strdup(expression);
    if (!copy) {
        snprintf(filter->error, sizeof filter->error, "out of memory");
        return QCAP_E_MEMORY;
    }
    if (link_type >= 0)
        program = compile(filter, expression, link_type);
    if (link_type >= 0 && !program) {
        free(copy);
        return QCAP_E_FILTER;
    }
    qcapint_filter_fini(filter);
    filter->expression = copy;
    filter->programs = program;
    return QCAP_OK;
}

void qcapint_filter_fini(qcapint_filter_t *filter)
{
    free_programs(filter->programs);
    free(filter->expression);
    filter->programs = NULL;
    filter->expression = NULL;
}

int qcapint_filter_matches(qcapint_filter_t *filter, const qcapint_frame_t *frame)
{
    struct pcap_pkthdr header = {.caplen = frame->len, .len = frame->wire_len};
    qcapint_program_t *program = filter->programs;
    if (!filter->expression)
        return 1;
    while (program && program->link_type != frame->link_type)
        program = program->next;
    if (!program) {
        if (!qcapint_decode_knows(frame->link_type))
            return 0;
        program = compile(filter, filter->expression, frame->link_type);
        if (!program)
            return QCAP_E_FILTER;
        program->next = filter->programs;
        filter->programs = program;
    }
    return pcap_offline_filter(&program->code, &header, frame->bytes) != 0;
}
