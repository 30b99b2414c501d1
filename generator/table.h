/* table.h: the automaton as rows of numbers, for runtime/table.c: each different row once.
 *
 *     state      row, first edge, what to do at the end, what to say in an error, what to keep of a piece
 *     row        for each class of bytes which of the state's edges it follows, from 1; 0: none
 *     edge       target, action: where it begins in actions.words
 *     action     a number, perhaps ACTION_PEEK; then so many steps
 *     step       an operation, or STEP_MOVE and a position register; and its place */
#ifndef QCAPGEN_TABLE_H
#define QCAPGEN_TABLE_H

#include "diag.h"
#include "layout.h"
#include "pool.h"

typedef struct table_state {
    unsigned row;    /* entry in rows; of a state that reads bytes */
    unsigned edges;  /* index in lists.words */
    unsigned about;  /* entry in abouts: rule, expected; indices in texts */
    unsigned keep;   /* entry in keeps: see table_keep() */
    unsigned loop;   /* which of the state's edges leads back to it and does nothing, from 1; LOOP_NONE */
} table_state_t;

typedef struct table {
    pool_t rows, actions, abouts, keeps;
    pool_t edges;         /* target, action */
    pool_t lists;         /* entries in edges, for each */
    pool_t suspends;      /* of conversions under way: conversion, begin, end, for each */
    pool_t counters;      /* limit, begin, for each */
    pool_t steps;         /* what, place */
    table_state_t *states;
} table_t;

#define LOOP_NONE 255u            /* no number in a row is as large if this is */
#define ACTION_NONE 0u            /* does nothing, reads its byte */
#define STEP_MOVE 0x8000u         /* of a position register, whose number this is added to */
#define ACTION_PEEK 0x8000u       /* the byte is not read */
#define PLACE_OLDEST 0x8001u
#define PLACE_BACK 0x4000u
#define PLACE_COMMITTED 0x8000u

/* NULL: they would be too large, which has been said. */
const table_t *table_build(layout_t *layout, diag_t *diag);

#endif
