/* hash.h: a hash that whoever sends the packets cannot aim: SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast
 * short-input PRF"), over 64-bit words, with a key that every handle draws for itself. */
#ifndef QCAP_HASH_H
#define QCAP_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Draws a key from the system; where it has no randomness to give, from the clock and an address. */
void qcapint_hash_seed(uint64_t key[2]);

uint64_t qcapint_hash(const uint64_t key[2], const uint64_t *words, size_t count);

#endif
