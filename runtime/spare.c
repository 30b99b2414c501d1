/* spare.c: blocks that came back wait for those who need one of their size. See spare.h. */
#include "spare.h"

#include <stdlib.h>
#include <string.h>

#include "asan.h"

#define KEPT_MAX ((size_t)1 << 20)
#define KEPT_PART 256u /* of the memory ceiling */

void qcapint_spares_init(qcapint_spares_t *spares, qcapint_budget_t *budget)
{
    *spares = (qcapint_spares_t){.budget = budget};
}

void qcapint_spares_fini(qcapint_spares_t *spares)
{
    for (size_t i = 0; i < QCAPINT_SPARE_SIZES; i++) {
        void *block;
        while ((block = spares->all[i].first) != NULL) {
            QCAPINT_PERMIT(block, spares->all[i].size);
            memcpy(&spares->all[i].first, block, sizeof block);
            free(block);
        }
    }
    spares->kept = 0;
}

/* Where blocks of that size are kept; NULL: nowhere. */
static qcapint_spare_t *find(qcapint_spares_t *spares, size_t size)
{
    for (size_t i = 0; i < QCAPINT_SPARE_SIZES; i++) {
        qcapint_spare_t *spare = &spares->all[i];
        if (spare->size == 0)
            spare->size = size;
        if (spare->size == size)
            return spare;
    }
    return NULL;
}

void *qcapint_spares_get(qcapint_spares_t *spares, size_t size)
{
    qcapint_spare_t *spare = find(spares, size);
    if (!spare || !spare->first)
        return qcapint_budget_get(spares->budget, size);
    if (!qcapint_budget_charge(spares->budget, size))
        return NULL;
    void *block = spare->first;
    QCAPINT_PERMIT(block, size);
    memcpy(&spare->first, block, sizeof block);
    spares->kept -= size;
    return block;
}

void qcapint_spares_put(qcapint_spares_t *spares, void *block, size_t size)
{
    qcapint_spare_t *spare = find(spares, size);
    uint64_t part = spares->budget->limit / KEPT_PART;
    if (!spare || spares->kept + size > (part < KEPT_MAX ? part : KEPT_MAX)) {
        qcapint_budget_free(spares->budget, block, size);
        return;
    }
    memcpy(block, &spare->first, sizeof spare->first);
    spare->first = block;
    spares->kept += size;
    QCAPINT_FORBID(block, size);
    qcapint_budget_discharge(spares->budget, size);
}
