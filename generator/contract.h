/* contract.h: what a generated parser needs, known before it runs: its memory, and how far it looks back. */
#ifndef QCAPGEN_CONTRACT_H
#define QCAPGEN_CONTRACT_H

#include "layout.h"
#include "table.h"

/* A member of a conversation's block, as the generated header declares it: TYPE NAME[COUNT]. */
typedef struct contract_member {
    const char *type; /* of C */
    const char *name;
    const char *what; /* it is for, in a word */
    unsigned count;   /* how many */
} contract_member_t;

typedef struct contract {
    VEC(contract_member_t) common; /* what both directions share, besides the qcap_conversation_t */
    VEC(contract_member_t) side;   /* what each direction has besides its qcap_parser_t */
    unsigned parser_size;          /* bytes of a qcap_parser_t */
    unsigned common_size;          /* bytes of what is shared */
    unsigned side_size;            /* bytes of a direction, its qcap_parser_t included; that is all of one that says nothing */
    bool has_client, has_server;   /* that direction says something */
    unsigned sub_size;             /* bytes of a sub-stream of one direction */
    unsigned feeds;                /* sub-streams of each direction */
    unsigned size;                 /* bytes of a conversation: qcap_protocol_t's `size` */
    unsigned queue_size;           /* bytes of all queues when they are full: allocated as entries come */
    unsigned depth;                /* elements and anomalies in each other, at most */
    unsigned regions;              /* in each other, at most */
    unsigned calls;                /* of recursive rules in each other, at most ... */
    unsigned frames;               /* ... and with repeats that are counted */
    unsigned lookback;             /* bytes behind the position that are needed, at most, where that is known ... */
    unsigned open_states; /* ... and states in which it is not: from where an element began that is not certain yet */
    unsigned hot_states;  /* that are code; all are in tables, too */
    unsigned table_size;  /* bytes of tables, without texts */
} contract_t;

/* Sizes are those of a machine with 64-bit pointers. */
contract_t contract_of(const layout_t *layout, const table_t *table);

/* Bytes of one of the types that members have; 0 for any other. */
unsigned contract_type_size(const char *type);

/* Lines of a key and a number; `before` stands before each. */
void contract_print(const layout_t *layout, const contract_t *contract, const char *before, text_t *text);

#endif
