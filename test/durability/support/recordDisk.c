// Preloaded into a process (LD_PRELOAD): writes down, in order, every change of the files below KILLSWITCH_DISK_ROOT
// and every request to make one durable, so that a disk can be rebuilt as a power cut at any moment may leave it.
// One record is a line `<operation> <numbers> <path>`, and for writes the bytes after it. diskImage.ts reads them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FD 65536

static char root[PATH_MAX];
static size_t root_length;
static int journal = -1;
// Inode of each descriptor that was opened below the root, and their device. Descriptors are also closed by system
// calls that are not seen here, and used again: what has another inode by then is not watched.
static unsigned long long watched[MAX_FD];
static dev_t device;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

__attribute__((constructor)) static void begin(void) {
  const char *r = getenv("KILLSWITCH_DISK_ROOT");
  const char *j = getenv("KILLSWITCH_DISK_JOURNAL");
  if (r == NULL || j == NULL || strlen(r) >= sizeof root) return;
  strcpy(root, r);
  root_length = strlen(root);
  struct stat s;
  if (stat(root, &s) != 0) return;
  device = s.st_dev;
  journal = (int)syscall(SYS_openat, AT_FDCWD, j, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (real == NULL) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int below(const char *path) {
  return journal >= 0 && path != NULL && strncmp(path, root, root_length) == 0 &&
         (path[root_length] == '/' || path[root_length] == 0);
}

static unsigned long long inode_of(int fd) {
  struct stat s;
  return fstat(fd, &s) == 0 && s.st_dev == device ? (unsigned long long)s.st_ino : 0;
}

static int is_watched(int fd) {
  return fd >= 0 && fd < MAX_FD && watched[fd] != 0 && watched[fd] == inode_of(fd);
}

static void put(const void *bytes, size_t length) {
  const char *p = bytes;
  while (length > 0) {
    long n = syscall(SYS_write, journal, p, length);
    if (n <= 0) abort();
    p += n;
    length -= (size_t)n;
  }
}

static void note(const char *format, ...) {
  char line[2 * PATH_MAX + 128];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  put(line, (size_t)n);
}

static void noted_open(int fd, const char *path, int flags, int existed) {
  if (fd < 0 || fd >= MAX_FD) return;
  watched[fd] = inode_of(fd);
  note("open %d %d %llu %s\n", existed, (flags & O_TRUNC) != 0, inode_of(fd), path);
}

static void noted_write(int fd, off_t at, const void *bytes, ssize_t length) {
  if (length <= 0) return;
  note("write %llu %lld %lld\n", inode_of(fd), (long long)at, (long long)length);
  put(bytes, (size_t)length);
}

// Where write() put `length` bytes: just before where the descriptor stands now, also after O_APPEND.
static off_t written_at(int fd, ssize_t length) { return lseek(fd, 0, SEEK_CUR) - length; }

#define OPEN_BODY(name, call) \
  REAL(name); \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list args; \
    va_start(args, flags); \
    mode = va_arg(args, mode_t); \
    va_end(args); \
  } \
  if (!below(path)) return call; \
  pthread_mutex_lock(&lock); \
  struct stat before; \
  int existed = stat(path, &before) == 0; \
  int fd = call; \
  int error = errno; \
  noted_open(fd, path, flags, existed); \
  pthread_mutex_unlock(&lock); \
  errno = error; \
  return fd

int open(const char *path, int flags, ...) { OPEN_BODY(open, real(path, flags, mode)); }
int open64(const char *path, int flags, ...) { OPEN_BODY(open64, real(path, flags, mode)); }
int openat(int at, const char *path, int flags, ...) { OPEN_BODY(openat, real(at, path, flags, mode)); }
int openat64(int at, const char *path, int flags, ...) { OPEN_BODY(openat64, real(at, path, flags, mode)); }

// Does something to a watched descriptor and writes it down if it was done.
#define ON_FD(type, name, call, failed, record) \
  REAL(name); \
  if (!is_watched(fd)) return call; \
  pthread_mutex_lock(&lock); \
  type result = call; \
  int error = errno; \
  if (result != (type)(failed)) record; \
  pthread_mutex_unlock(&lock); \
  errno = error; \
  return result

ssize_t write(int fd, const void *bytes, size_t length) {
  ON_FD(ssize_t, write, real(fd, bytes, length), -1, noted_write(fd, written_at(fd, result), bytes, result));
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  ON_FD(ssize_t, pwrite, real(fd, bytes, length, at), -1, noted_write(fd, at, bytes, result));
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  ON_FD(ssize_t, pwrite64, real(fd, bytes, length, at), -1, noted_write(fd, at, bytes, result));
}

static void noted_writev(int fd, off_t at, const struct iovec *parts, int count, ssize_t length) {
  for (int i = 0; i < count && length > 0; i++) {
    ssize_t part = (ssize_t)parts[i].iov_len < length ? (ssize_t)parts[i].iov_len : length;
    noted_write(fd, at, parts[i].iov_base, part);
    at += part;
    length -= part;
  }
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  ON_FD(ssize_t, writev, real(fd, parts, count), -1,
        noted_writev(fd, written_at(fd, result), parts, count, result));
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  ON_FD(ssize_t, pwritev, real(fd, parts, count, at), -1, noted_writev(fd, at, parts, count, result));
}

int ftruncate(int fd, off_t size) {
  ON_FD(int, ftruncate, real(fd, size), -1, note("truncate %llu %lld\n", inode_of(fd), (long long)size));
}
int ftruncate64(int fd, off64_t size) {
  ON_FD(int, ftruncate64, real(fd, size), -1, note("truncate %llu %lld\n", inode_of(fd), (long long)size));
}
int fsync(int fd) { ON_FD(int, fsync, real(fd), -1, note("sync %llu\n", inode_of(fd))); }
int fdatasync(int fd) { ON_FD(int, fdatasync, real(fd), -1, note("sync %llu\n", inode_of(fd))); }

// Changes of names.
#define ON_PATH(name, path, call, record) \
  REAL(name); \
  if (!below(path)) return call; \
  pthread_mutex_lock(&lock); \
  int result = call; \
  int error = errno; \
  if (result == 0) record; \
  pthread_mutex_unlock(&lock); \
  errno = error; \
  return result

int unlink(const char *path) { ON_PATH(unlink, path, real(path), note("unlink %s\n", path)); }
int unlinkat(int at, const char *path, int flags) {
  ON_PATH(unlinkat, path, real(at, path, flags), note("unlink %s\n", path));
}
int remove(const char *path) { ON_PATH(remove, path, real(path), note("unlink %s\n", path)); }
int link(const char *from, const char *to) { ON_PATH(link, to, real(from, to), note("link %s\t%s\n", from, to)); }
int rename(const char *from, const char *to) {
  ON_PATH(rename, to, real(from, to), note("rename %s\t%s\n", from, to));
}
int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  if (!below(path)) return real(path, mode);
  pthread_mutex_lock(&lock);
  int result = real(path, mode);
  int error = errno;
  struct stat made;
  if (result == 0 && stat(path, &made) == 0) note("mkdir %llu %s\n", (unsigned long long)made.st_ino, path);
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
