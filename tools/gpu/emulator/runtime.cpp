// HIP's runtime on the CPU: the part of its public interface that CuPy calls.
//
// Work runs when it is queued, so streams and events hold nothing back. Environment:
//   GPU_DEVICES   how many devices there are, default 2
//   GPU_MEMORY    bytes of each, default 4 GiB
//   GPU_GUARD     when set, each allocation ends at a page that nothing may touch, and starts after
//                 one; a kernel that does is stopped and reported as an illegal address
#include <dlfcn.h>
#include <elf.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#define API extern "C" __attribute__((visibility("default")))

typedef int Error;
enum : Error {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    NOT_FOUND = 500,
    ILLEGAL_ADDRESS = 700,
    LAUNCH_FAILURE = 719,
    NOT_SUPPORTED = 801,
};

static thread_local int current_device = 0;
static thread_local Error last_error = SUCCESS;

static Error told(Error error) {
    if (error) last_error = error;
    return error;
}

static size_t setting(const char *name, size_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, nullptr, 10) : otherwise;
}
static int device_count() {
    static int count = (int)setting("GPU_DEVICES", 2);
    return count;
}
static size_t device_bytes() {
    static size_t bytes = setting("GPU_MEMORY", (size_t)4 << 30);
    return bytes;
}
static bool guarded() {
    static bool on = getenv("GPU_GUARD") != nullptr;
    return on;
}

// ---- what happened, for tests that hold a budget
struct Counts {
    long long to_device, to_host, within, synchronizations, launches, allocations, fills, modules;
};
static Counts counts;
API Counts *emulator_counts() { return &counts; }

// ---- memory
enum Kind { PINNED = 1, DEVICE = 2, MANAGED = 3 };
struct Block {
    size_t bytes;
    int device;
    Kind kind;
};
static std::map<uintptr_t, Block> blocks;
static std::map<int, size_t> in_use;  // by device
static std::mutex blocks_lock;
const size_t PAGE = 4096;

static size_t to_multiple(size_t n, size_t of) { return (n + of - 1) / of * of; }

// Memory that ends, up to alignment by 16, at an inaccessible page.
static void *guarded_pages(size_t bytes) {
    size_t kept = to_multiple(bytes, 16), body = to_multiple(kept, PAGE);
    void *got = mmap(nullptr, body + 2 * PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return nullptr;
    char *first = (char *)got;
    mprotect(first, PAGE, PROT_NONE);
    mprotect(first + PAGE + body, PAGE, PROT_NONE);
    return first + PAGE + body - kept;
}
static void release_pages(void *p, size_t bytes) {
    size_t kept = to_multiple(bytes, 16), body = to_multiple(kept, PAGE);
    munmap((char *)p + kept - body - PAGE, body + 2 * PAGE);
}

static Error allocate(void **result, size_t bytes, Kind kind) {
    std::lock_guard<std::mutex> hold(blocks_lock);
    *result = nullptr;
    if (!bytes) return SUCCESS;
    bool on_device = kind == DEVICE;
    if (on_device && in_use[current_device] + bytes > device_bytes()) return OUT_OF_MEMORY;
    void *p = on_device && guarded() ? guarded_pages(bytes)
                                     : aligned_alloc(512, to_multiple(bytes, 512));
    if (!p) return OUT_OF_MEMORY;
    if (on_device) {
        memset(p, 0xCB, bytes);  // memory is not zero on a GPU
        in_use[current_device] += bytes;
        counts.allocations++;
    }
    blocks[(uintptr_t)p] = {bytes, current_device, kind};
    *result = p;
    return SUCCESS;
}

static Error release(void *p) {
    if (!p) return SUCCESS;
    std::lock_guard<std::mutex> hold(blocks_lock);
    auto found = blocks.find((uintptr_t)p);
    if (found == blocks.end()) return INVALID_VALUE;
    Block block = found->second;
    blocks.erase(found);
    if (block.kind == DEVICE) in_use[block.device] -= block.bytes;
    if (block.kind == DEVICE && guarded()) release_pages(p, block.bytes);
    else free(p);
    return SUCCESS;
}

// The allocation that an address is in, or null.
static const Block *block_at(const void *p, uintptr_t *start) {
    auto after = blocks.upper_bound((uintptr_t)p);
    if (after == blocks.begin()) return nullptr;
    --after;
    *start = after->first;
    return (uintptr_t)p < after->first + after->second.bytes ? &after->second : nullptr;
}

// 2 for memory of a device, 0 for other memory, -1 where the range leaves its allocation.
static int place(const void *p, size_t bytes) {
    std::lock_guard<std::mutex> hold(blocks_lock);
    uintptr_t start;
    const Block *block = block_at(p, &start);
    if (!block) return 0;
    if ((uintptr_t)p + bytes > start + block->bytes) return -1;
    return block->kind == PINNED ? 0 : 2;
}

// kind: 1 host to device, 2 device to host, 3 within devices, 0 and 4 by the addresses.
static Error copy(void *to, const void *from, size_t bytes, int kind) {
    if (!bytes) return SUCCESS;
    int target = place(to, bytes), source = place(from, bytes);
    if (target < 0 || source < 0) return INVALID_VALUE;
    if ((kind == 1 || kind == 3) && !target) return INVALID_VALUE;
    if ((kind == 2 || kind == 3) && !source) return INVALID_VALUE;
    if (target && source) counts.within++;
    else if (target) counts.to_device++;
    else if (source) counts.to_host++;
    memmove(to, from, bytes);
    return SUCCESS;
}

API Error hipMalloc(void **p, size_t bytes) { return told(allocate(p, bytes, DEVICE)); }
API Error hipMallocManaged(void **p, size_t bytes, unsigned) {
    return told(allocate(p, bytes, MANAGED));
}
API Error hipHostMalloc(void **p, size_t bytes, unsigned) {
    return told(allocate(p, bytes, PINNED));
}
API Error hipFree(void *p) { return told(release(p)); }
API Error hipHostFree(void *p) { return told(release(p)); }
API Error hipMemGetInfo(size_t *free_bytes, size_t *total) {
    *total = device_bytes();
    *free_bytes = device_bytes() - in_use[current_device];
    return SUCCESS;
}
API Error hipMemcpy(void *to, const void *from, size_t bytes, int kind) {
    counts.synchronizations++;
    return told(copy(to, from, bytes, kind));
}
API Error hipMemcpyAsync(void *to, const void *from, size_t bytes, int kind, void *) {
    return told(copy(to, from, bytes, kind));
}
API Error hipMemcpyPeer(void *to, int, const void *from, int, size_t bytes) {
    return told(copy(to, from, bytes, 3));
}
API Error hipMemcpyPeerAsync(void *to, int, const void *from, int, size_t bytes, void *) {
    return told(copy(to, from, bytes, 3));
}
API Error hipMemset(void *p, int value, size_t bytes) {
    counts.fills++;
    if (bytes && place(p, bytes) != 2) return told(INVALID_VALUE);
    memset(p, value, bytes);
    return SUCCESS;
}
API Error hipMemsetAsync(void *p, int value, size_t bytes, void *) {
    return hipMemset(p, value, bytes);
}
API Error hipMemAdvise(const void *, size_t, int, int) { return SUCCESS; }
API Error hipMemPrefetchAsync(const void *, size_t, int, void *) { return SUCCESS; }

struct PointerAttributes {
    int type, device;
    void *device_pointer, *host_pointer;
    int managed;
    unsigned flags;
};
API Error hipPointerGetAttributes(PointerAttributes *found, const void *p) {
    std::lock_guard<std::mutex> hold(blocks_lock);
    uintptr_t start;
    const Block *block = block_at(p, &start);
    void *address = (void *)p;
    if (!block) *found = {0, -2, nullptr, address, 0, 0};
    else *found = {block->kind, block->device, address,
                   block->kind == DEVICE ? nullptr : address, block->kind == MANAGED, 0};
    return SUCCESS;
}

// ---- devices
API Error hipGetDevice(int *device) { *device = current_device; return SUCCESS; }
API Error hipSetDevice(int device) {
    if (device < 0 || device >= device_count()) return told(INVALID_DEVICE);
    current_device = device;
    return SUCCESS;
}
API Error hipGetDeviceCount(int *count) { *count = device_count(); return SUCCESS; }
API Error hipDeviceSynchronize() { counts.synchronizations++; return SUCCESS; }
API Error hipDriverGetVersion(int *version) { *version = 70051831; return SUCCESS; }
API Error hipRuntimeGetVersion(int *version) { *version = 70051831; return SUCCESS; }
const int COMPUTE_CAPABILITY_MAJOR = 23;  // hipDeviceAttributeComputeCapabilityMajor
API Error hipDeviceGetAttribute(int *value, int attribute, int) {
    *value = attribute == COMPUTE_CAPABILITY_MAJOR ? 9 : 0;
    return SUCCESS;
}

// The head of hipDeviceProp_tR0600, which has 1472 bytes.
struct Properties {
    char name[256], uuid[16], luid[8];
    unsigned luid_mask;
    size_t total_memory, shared_per_block;
    int registers_per_block, warp_size;
    size_t pitch;
    int threads_per_block, threads[3], grid[3], clock_khz;
    size_t constant_memory;
    int major, minor;
    size_t texture_alignment, texture_pitch;
    int overlap, multiprocessors;
};
API Error hipGetDevicePropertiesR0600(void *to, int device) {
    if (device < 0 || device >= device_count()) return told(INVALID_DEVICE);
    Properties p = {};
    strcpy(p.name, "CPU in place of a GPU");
    p.total_memory = device_bytes();
    p.shared_per_block = 48 << 10;
    p.registers_per_block = 65536;
    p.warp_size = 32;
    p.pitch = 1u << 30;
    p.threads_per_block = p.threads[0] = p.threads[1] = 1024;
    p.threads[2] = 64;
    p.grid[0] = 0x7fffffff;
    p.grid[1] = p.grid[2] = 65535;
    p.clock_khz = 1000000;
    p.constant_memory = 65536;
    p.major = 9;
    p.multiprocessors = 2;
    memset(to, 0, 1472);
    memcpy(to, &p, sizeof p);
    return SUCCESS;
}
API Error hipDeviceCanAccessPeer(int *can, int a, int b) { *can = a != b; return SUCCESS; }
API Error hipDeviceEnablePeerAccess(int, unsigned) { return SUCCESS; }
API Error hipDeviceDisablePeerAccess(int) { return SUCCESS; }
API Error hipDeviceGetByPCIBusId(int *device, const char *) { *device = 0; return SUCCESS; }
API Error hipDeviceGetPCIBusId(char *text, int size, int device) {
    snprintf(text, size, "0000:%02x:00.0", device);
    return SUCCESS;
}
API Error hipDeviceGetLimit(size_t *value, int) { *value = 0; return SUCCESS; }

// ---- events and streams
typedef std::chrono::steady_clock Clock;
struct Event { Clock::time_point reached; };
API Error hipEventCreateWithFlags(void **event, unsigned) { *event = new Event; return SUCCESS; }
API Error hipEventCreate(void **event) { return hipEventCreateWithFlags(event, 0); }
API Error hipEventDestroy(void *event) { delete (Event *)event; return SUCCESS; }
API Error hipEventRecord(void *event, void *) {
    ((Event *)event)->reached = Clock::now();
    return SUCCESS;
}
API Error hipEventQuery(void *) { return SUCCESS; }
API Error hipEventSynchronize(void *) { counts.synchronizations++; return SUCCESS; }
API Error hipEventElapsedTime(float *ms, void *start, void *end) {
    auto passed = ((Event *)end)->reached - ((Event *)start)->reached;
    *ms = std::chrono::duration<float, std::milli>(passed).count();
    return SUCCESS;
}

struct Stream { int device; unsigned flags; int priority; };
static bool is_made(void *stream) { return (uintptr_t)stream > 8; }  // 0, 1 and 2 have no memory
API Error hipStreamCreateWithPriority(void **stream, unsigned flags, int priority) {
    *stream = new Stream{current_device, flags, priority};
    return SUCCESS;
}
API Error hipStreamCreateWithFlags(void **stream, unsigned flags) {
    return hipStreamCreateWithPriority(stream, flags, 0);
}
API Error hipStreamCreate(void **stream) { return hipStreamCreateWithFlags(stream, 0); }
API Error hipStreamDestroy(void *stream) { delete (Stream *)stream; return SUCCESS; }
API Error hipStreamSynchronize(void *) { counts.synchronizations++; return SUCCESS; }
API Error hipStreamQuery(void *) { return SUCCESS; }
API Error hipStreamWaitEvent(void *, void *, unsigned) { return SUCCESS; }
API Error hipStreamGetFlags(void *stream, unsigned *flags) {
    *flags = is_made(stream) ? ((Stream *)stream)->flags : 0;
    return SUCCESS;
}
API Error hipStreamGetPriority(void *stream, int *priority) {
    *priority = is_made(stream) ? ((Stream *)stream)->priority : 0;
    return SUCCESS;
}
API Error hipStreamAddCallback(void *s, void (*call)(void *, Error, void *), void *data, unsigned) {
    call(s, SUCCESS, data);
    return SUCCESS;
}
API Error hipLaunchHostFunc(void *, void (*call)(void *), void *data) {
    call(data);
    return SUCCESS;
}
API int hipGetStreamDeviceId(void *stream) {
    return is_made(stream) ? ((Stream *)stream)->device : current_device;
}
API Error hipStreamIsCapturing(void *, int *status) { *status = 0; return SUCCESS; }
API Error hipStreamGetCaptureInfo(void *, int *status, unsigned long long *) {
    *status = 0;
    return SUCCESS;
}
API Error hipStreamGetCaptureInfo_v2(void *, int *status, unsigned long long *, void *, void *,
                                     void *) {
    *status = 0;
    return SUCCESS;
}
API Error hipStreamBeginCapture(void *, int) { return told(NOT_SUPPORTED); }
API Error hipStreamEndCapture(void *, void **) { return told(NOT_SUPPORTED); }

// ---- errors
API Error hipPeekAtLastError() { return last_error; }
API Error hipGetLastError() {
    Error error = last_error;
    last_error = SUCCESS;
    return error;
}
static const std::map<Error, const char *> NAMES = {
    {SUCCESS, "hipSuccess"},
    {INVALID_VALUE, "hipErrorInvalidValue"},
    {OUT_OF_MEMORY, "hipErrorOutOfMemory"},
    {INVALID_DEVICE, "hipErrorInvalidDevice"},
    {INVALID_IMAGE, "hipErrorInvalidImage"},
    {NOT_FOUND, "hipErrorNotFound"},
    {ILLEGAL_ADDRESS, "hipErrorIllegalAddress"},
    {LAUNCH_FAILURE, "hipErrorLaunchFailure"},
    {NOT_SUPPORTED, "hipErrorNotSupported"},
};
API const char *hipGetErrorName(Error error) {
    auto found = NAMES.find(error);
    return found == NAMES.end() ? "hipErrorUnknown" : found->second;
}
API const char *hipGetErrorString(Error error) {
    if (error == LAUNCH_FAILURE) return "threads of a block wait at different barriers";
    if (error == ILLEGAL_ADDRESS) return "a kernel touched memory outside its arrays";
    return hipGetErrorName(error);
}

// ---- modules and kernels
API Error hipModuleLoadData(void **module, const void *image) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG)) return told(INVALID_IMAGE);
    size_t bytes = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
    int file = memfd_create("kernel", 0);  // stays open: the loader knows libraries by their path
    if (write(file, image, bytes) != (ssize_t)bytes) return told(INVALID_IMAGE);
    std::string path = "/proc/self/fd/" + std::to_string(file);
    *module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!*module) {
        fprintf(stderr, "emulator: %s\n", dlerror());
        close(file);
        return told(INVALID_IMAGE);
    }
    counts.modules++;
    return SUCCESS;
}
API Error hipModuleLoad(void **module, const char *path) {
    *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    return told(*module ? SUCCESS : INVALID_IMAGE);
}
API Error hipModuleUnload(void *) { return SUCCESS; }
API Error hipModuleGetFunction(void **function, void *module, const char *name) {
    *function = dlsym(module, (std::string("emulator_run_") + name).c_str());
    return told(*function ? SUCCESS : NOT_FOUND);
}
API Error hipModuleGetGlobal(void **address, size_t *bytes, void *module, const char *name) {
    *address = dlsym(module, name);
    if (bytes) *bytes = 0;
    return told(*address ? SUCCESS : NOT_FOUND);
}

static sigjmp_buf before_kernel;
static volatile sig_atomic_t in_kernel = 0;

static void on_fault(int number, siginfo_t *info, void *) {
    if (in_kernel) {
        fprintf(stderr, "emulator: a kernel touched address %p\n", info->si_addr);
        siglongjmp(before_kernel, 1);
    }
    signal(number, SIG_DFL);
    raise(number);
}
static void catch_faults() {
    static bool done = false;
    if (done) return;
    done = true;
    stack_t stack = {};
    stack.ss_size = 64 << 10;
    stack.ss_sp = malloc(stack.ss_size);
    sigaltstack(&stack, nullptr);
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);
}

typedef int (*Run)(const unsigned *grid, const unsigned *block, unsigned shared, void **arguments);
API Error hipModuleLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                                unsigned by, unsigned bz, unsigned shared, void *, void **arguments,
                                void **extra) {
    unsigned grid[3] = {gx, gy, gz}, block[3] = {bx, by, bz};
    unsigned long long threads = (unsigned long long)bx * by * bz;
    bool empty = !gx || !gy || !gz || !threads;
    if (empty || threads > 1024 || bz > 64 || gx > 0x7fffffff || gy > 65535 || gz > 65535 ||
        shared > 48 << 10)
        return told(INVALID_VALUE);
    if (extra && !arguments) return told(NOT_SUPPORTED);
    counts.launches++;
    if (guarded()) {
        catch_faults();
        if (sigsetjmp(before_kernel, 1)) {
            in_kernel = 0;
            return told(ILLEGAL_ADDRESS);
        }
        in_kernel = 1;
    }
    int failed = ((Run)function)(grid, block, shared, arguments);
    in_kernel = 0;
    return told(failed ? LAUNCH_FAILURE : SUCCESS);
}
API Error hipFuncGetAttribute(int *value, int, void *) { *value = 0; return SUCCESS; }
API Error hipOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks_of, void *, int, size_t) {
    *blocks_of = 8;
    return SUCCESS;
}
API Error hipOccupancyMaxPotentialBlockSize(int *grid, int *block, void *, size_t, int) {
    *grid = 16;
    *block = 256;
    return SUCCESS;
}
