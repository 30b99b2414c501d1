/* picture.h: what graph.c draws: nodes in groups, and edges between them. */
#ifndef QCAPGEN_PICTURE_H
#define QCAPGEN_PICTURE_H

#include "graph.h"

/* A machine, or a rule in it, or in another rule. */
typedef struct group {
    struct group *parent;
    const char *name;
    VEC(struct group *) children;
    VEC(unsigned) states; /* that stand in this rule itself */
    unsigned total;       /* states in it and in all its children */
    bool is_asked;        /* what the picture is to show */
    bool is_open;         /* its states and children are nodes; else it is one itself */
    unsigned node;        /* of the closed group; STATE_NONE: not drawn yet */
} group_t;

typedef struct drawn_edge {
    unsigned to;
    charset_t set;       /* bytes that follow it ... */
    const char *literal; /* ... or several, one after the other; "": one of the set */
    const char *reason;  /* if not by a byte: what a control point chose; else "" */
    const char *ops;     /* what is performed, in lines */
} drawn_edge_t;

typedef struct drawn_node {
    unsigned state;    /* STATE_NONE: all of a group */
    group_t *group;    /* it is drawn in, or stands for */
    unsigned in_count; /* edges that lead here */
    bool is_beside;    /* of what was asked for */
    bool is_fixed;     /* drawn in any case */
    bool is_passed;    /* its bytes stand at the edge before it: not drawn */
    VEC(drawn_edge_t) edges;
} drawn_node_t;

typedef struct picture {
    arena_t *arena;
    const layout_t *layout;
    const dfa_t *dfa;
    group_t *root;
    group_t **group_of; /* by state */
    unsigned *node_of;  /* by state; STATE_NONE: not drawn */
    VEC(drawn_node_t) nodes;
} picture_t;

/* NULL if nothing was asked for: no state stands in such a rule. */
picture_t *picture_of(const layout_t *layout, const graph_options_t *options);

/* The state that reading goes on in, entry states passed; STATE_NONE stays that. */
unsigned picture_start(const picture_t *picture, unsigned state);

/* The text of a spec at a place. */
void picture_print_source(const place_t *place, text_t *text);

#endif
