/* fields.c: the fields of the packets of a capture, for tests/corpus/fields.
 *
 * In: a capture, names of fields; without these, it lists all that are no bytes. Out, on standard output, a line for each packet
 * that was captured: its number, and for each field a tab and its values, separated by commas; those of packets that it
 * carries stand behind its own. Packets put together from fragments are left out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "qcap.h"

#define FIELDS 256
#define VALUES 256
#define TEXT 4096

typedef struct fields {
    qcap_getter_t *getters[FIELDS];
    char texts[FIELDS][TEXT]; /* of the packet at hand */
    int count;
    uint64_t number; /* of the packet at hand; 0: none */
} fields_t;

static void flush(fields_t *fields)
{
    if (fields->number)
        printf("%" PRIu64, fields->number);
    for (int i = 0; i < fields->count && fields->number; i++)
        printf("\t%s", fields->texts[i]);
    if (fields->number)
        putchar('\n');
}

/* Those of the packet itself: the first ones, before those of its carrier. */
static void add_values(fields_t *fields, const qcap_packet_t *packet, const qcap_packet_t *carrier)
{
    qcap_value_t values[VALUES];
    for (int i = 0; i < fields->count; i++) {
        size_t count = qcap_getter_apply(fields->getters[i], packet, values, VALUES);
        size_t outer = carrier ? qcap_getter_apply(fields->getters[i], carrier, NULL, 0) : 0, at = 0;
        char *text = fields->texts[i];
        while (text[at])
            at++;
        for (size_t v = 0; v + outer < count && v < VALUES && at + QCAP_VALUE_SIZE < TEXT; v++) {
            if (at > 0)
                text[at++] = ',';
            qcap_value_print(&values[v], text + at, QCAP_VALUE_SIZE);
            while (text[at])
                at++;
        }
    }
}

static void on_captured(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    fields_t *fields = user;
    (void)stage;
    flush(fields);
    fields->number = qcap_packet_number(packet);
    for (int i = 0; i < fields->count; i++)
        fields->texts[i][0] = '\0';
    add_values(fields, packet, NULL);
}

/* The carrier may have been put together from fragments; then it is nothing that was captured. */
static void on_inner(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    const qcap_packet_t *carrier = packet;
    (void)stage;
    while (qcap_packet_flags(carrier) & QCAP_PACKET_ARTIFICIAL) {
        if (qcap_packet_constituent_count(carrier) != 1)
            return;
        carrier = qcap_packet_constituent(carrier, 0);
    }
    add_values(user, packet, qcap_packet_constituent(packet, 0));
}

static int list(void)
{
    const qcap_field_t *field;
    for (size_t i = 0; (field = qcap_field(i)); i++)
        if (field->type != QCAP_VALUE_BYTES)
            puts(field->name);
    return 0;
}

int main(int argc, char **argv)
{
    char errbuf[QCAP_ERRBUF_SIZE];
    static fields_t fields;
    if (argc == 1)
        return list();
    qcap_t *q = qcap_open_trace(argv[1], errbuf);
    if (!q || argc - 2 > FIELDS)
        return 2;
    for (int i = 2; i < argc; i++)
        if (!(fields.getters[fields.count++] = qcap_getter_compile(q, argv[i]))) {
            fprintf(stderr, "%s: %s\n", argv[i], qcap_geterr(q));
            return 2;
        }
    qcap_packet_handler_add(q, QCAP_STAGE_CAPTURED, on_captured, &fields);
    qcap_packet_handler_add(q, QCAP_STAGE_DECAPSULATED, on_inner, &fields);
    int status = qcap_loop(q, 0);
    flush(&fields);
    for (int i = 0; i < fields.count; i++)
        qcap_getter_free(fields.getters[i]);
    qcap_close(q);
    return status ? 1 : 0;
}
