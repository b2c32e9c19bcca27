/* SPDX-License-Identifier: MIT */
#include "cpu.h"

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>

/* Leaf 1, ecx. */
#define L1C_FMA     (1u << 12)
#define L1C_OSXSAVE (1u << 27)
#define L1C_AVX     (1u << 28)
#define L1C_F16C    (1u << 29)
/* Leaf 7, ebx. */
#define L7B_AVX2     (1u << 5)
#define L7B_AVX512F  (1u << 16)
#define L7B_AVX512DQ (1u << 17)
#define L7B_AVX512BW (1u << 30)
#define L7B_AVX512VL (1u << 31)
/* Leaf 7, ecx; and leaf 7.1, eax. */
#define L7C_AVX512VNNI (1u << 11)
#define L71A_AVXVNNI   (1u << 4)
/* XCR0: the register state that the operating system saves. */
#define XCR0_YMM 0x06u
#define XCR0_ZMM 0xe6u

static unsigned xcr0(void)
{
	unsigned lo, hi;

	/* By its bytes: the intrinsic would need -mxsave for this file. */
	__asm__ volatile(".byte 0x0f, 0x01, 0xd0" /* xgetbv */
			 : "=a"(lo), "=d"(hi) : "c"(0));
	return lo;
}

unsigned bk_cpu_detect(void)
{
	const unsigned avx = L1C_FMA | L1C_OSXSAVE | L1C_AVX | L1C_F16C;
	const unsigned avx512 = L7B_AVX512F | L7B_AVX512DQ | L7B_AVX512BW |
				L7B_AVX512VL;
	unsigned a, b, c, d, saved, leaves, mask = 1u << BK_LEVEL_C;

	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & avx) != avx)
		return mask;
	if (!__get_cpuid_count(7, 0, &leaves, &b, &c, &d) || !(b & L7B_AVX2))
		return mask;
	saved = xcr0();
	if ((saved & XCR0_YMM) != XCR0_YMM)
		return mask;
	mask |= 1u << BK_LEVEL_AVX2;
	if ((b & avx512) == avx512 && (saved & XCR0_ZMM) == XCR0_ZMM) {
		mask |= 1u << BK_LEVEL_AVX512;
		if (c & L7C_AVX512VNNI)
			mask |= 1u << BK_LEVEL_AVX512VNNI;
	}
	if (leaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
	    (a & L71A_AVXVNNI))
		mask |= 1u << BK_LEVEL_AVXVNNI;
	return mask;
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

/* HWCAP_ASIMDDP of the kernel's ABI; not every C library names it. */
#define CAP_DOTPROD (1ul << 20)

unsigned bk_cpu_detect(void)
{
	/* Advanced SIMD is part of every AArch64 Linux. */
	unsigned mask = 1u << BK_LEVEL_C | 1u << BK_LEVEL_NEON;

	if (getauxval(AT_HWCAP) & CAP_DOTPROD)
		mask |= 1u << BK_LEVEL_NEONDOT;
	return mask;
}

#else

unsigned bk_cpu_detect(void)
{
	return 1u << BK_LEVEL_C;
}

#endif
