// A fake NVRTC in the same library: the "PTX" of a program is its text. A line with
// #error fails the compilation.
#include <cstring>
#include <string>

#define API extern "C" __attribute__((visibility("default")))

namespace {
struct Program { std::string source, log; };
int copy(const std::string &s, char *out) { memcpy(out, s.c_str(), s.size() + 1); return 0; }
}  // namespace

API int nvrtcVersion(int *major, int *minor) { *major = 13; *minor = 0; return 0; }
API const char *nvrtcGetErrorString(int code) { return code == 6 ? "NVRTC_ERROR_COMPILATION" : code ? "NVRTC_ERROR" : "NVRTC_SUCCESS"; }
API int nvrtcCreateProgram(Program **p, const char *source, const char *, int, const char **, const char **) { *p = new Program{source, ""}; return 0; }
API int nvrtcCompileProgram(Program *p, int n, const char **options) {
  for (int i = 0; i < n; i++)
    if (options[i][0] != '-') return p->log = std::string("unknown option ") + options[i], 5;
  size_t at = p->source.find("#error");
  if (at == std::string::npos) return 0;
  p->log = p->source.substr(at, p->source.find('\n', at) - at);
  return 6;
}
API int nvrtcGetPTXSize(Program *p, size_t *n) { *n = p->source.size() + 1; return 0; }
API int nvrtcGetPTX(Program *p, char *out) { return copy(p->source, out); }
API int nvrtcGetCUBINSize(Program *p, size_t *n) { *n = p->source.size() + 1; return 0; }
API int nvrtcGetCUBIN(Program *p, char *out) { return copy(p->source, out); }
API int nvrtcGetProgramLogSize(Program *p, size_t *n) { *n = p->log.size() + 1; return 0; }
API int nvrtcGetProgramLog(Program *p, char *out) { return copy(p->log, out); }
API int nvrtcDestroyProgram(Program **p) { delete *p; *p = nullptr; return 0; }
