/* transfers.c: a ring of commands. */
#include "transfers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TRANSFERS 64 /* that are remembered */

typedef struct transfer {
    char command[8];
    char *name;      /* NULL: none */
    int64_t time_ns;
    bool is_done;    /* a connection was for it */
} transfer_t;

struct transfers {
    transfer_t ring[TRANSFERS];
    uint64_t count; /* ever */
};

void transfers_command(const program_t *program, transfers_t **transfers, const qcap_match_t *command)
{
    if (!*transfers) {
        *transfers = program_resize(program, NULL, sizeof **transfers);
        memset(*transfers, 0, sizeof **transfers);
    }
    transfer_t *transfer = &(*transfers)->ring[(*transfers)->count++ % TRANSFERS];
    free(transfer->name);
    *transfer = (transfer_t){.time_ns = command->time_ns};
    if (command->bytes && command->len < sizeof transfer->command)
        memcpy(transfer->command, command->bytes, command->len);
}

void transfers_name(const program_t *program, transfers_t *transfers, const qcap_match_t *name)
{
    if (!transfers || !name->bytes)
        return;
    transfer_t *transfer = &transfers->ring[(transfers->count - 1) % TRANSFERS];
    free(transfer->name);
    transfer->name = program_copy(program, name);
}

static bool is_transfer(const char *command)
{
    static const char *const commands[] = {"RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcasecmp(command, commands[i]) == 0)
            return true;
    return false;
}

const char *transfers_take(transfers_t *transfers, int64_t announced_ns)
{
    transfer_t *found = NULL;
    uint64_t count = transfers ? transfers->count : 0;
    for (uint64_t i = count > TRANSFERS ? count - TRANSFERS : 0; i < count; i++) {
        transfer_t *transfer = &transfers->ring[i % TRANSFERS];
        if (transfer->is_done || !is_transfer(transfer->command))
            continue;
        if (!found || transfer->time_ns >= announced_ns)
            found = transfer;
        if (transfer->time_ns >= announced_ns)
            break;
    }
    if (!found)
        return NULL;
    found->is_done = true;
    return found->name ? found->name : found->command;
}

void transfers_free(transfers_t *transfers)
{
    for (unsigned i = 0; i < TRANSFERS && transfers; i++)
        free(transfers->ring[i].name);
    free(transfers);
}
