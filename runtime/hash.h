/* hash.h: a hash that whoever sends the packets cannot aim: SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast
 * short-input PRF"), over 64-bit words, with a key that every handle draws for itself. */
#ifndef QCAP_HASH_H
#define QCAP_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Draws a key from the system; where it has no randomness to give, from the clock and an address. */
void qcapint_hash_seed(uint64_t key[2]);

uint64_t qcapint_hash(const uint64_t key[2], const uint64_t *words, size_t count);

/* A faster one for short input whose hashes nobody gets to see: NH, and a multiplication (Black et al.: "UMAC: Fast and
 * Secure Message Authentication"; Dietzfelbinger et al.: "A reliable randomized algorithm for the closest-pair problem").
 * Whoever does not know the key finds two inputs with the same hash no sooner than by chance. */
#define QCAPINT_HASH_PAIRS 5

typedef struct qcapint_hash_key {
    uint64_t factor;                         /* odd */
    uint32_t terms[2 * QCAPINT_HASH_PAIRS];
} qcapint_hash_key_t;

void qcapint_hash_key_init(qcapint_hash_key_t *key);

/* Of `count` pairs of words, two in one, at most QCAPINT_HASH_PAIRS. Inputs of different counts may share a hash. */
static inline uint32_t qcapint_hash_pairs(const qcapint_hash_key_t *key, const uint64_t *pairs, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (uint64_t)((uint32_t)pairs[i] + key->terms[2 * i]) * ((uint32_t)(pairs[i] >> 32) + key->terms[2 * i + 1]);
    return (uint32_t)(sum * key->factor >> 32);
}

#endif
