// sock_zygote_core: what the Python runtime cannot do in Python. Built for the stable ABI of 3.9,
// so that one file serves every later interpreter.

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03090000
#include <cerrno>
#include <utility>

#include <Python.h>
#include <unistd.h>

#include "server/channel.hpp"
#include "server/environment.hpp"
#include "server/fork.hpp"
#include "server/fork_safety.hpp"
#include "server/inheritance.hpp"
#include "server/kernel_state.hpp"
#include "server/park.hpp"
#include "server/request.hpp"
#include "server/role.hpp"
#include "server/spare.hpp"
#include "server/work.hpp"
#include "server/working_set.hpp"

namespace sock::zygote {
namespace {

/// Owns a reference.
class Ref {
 public:
  explicit Ref(PyObject* object) noexcept : object_{object} {}
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() { Py_XDECREF(object_); }
  [[nodiscard]] PyObject* get() const noexcept { return object_; }
  PyObject* release() noexcept { return std::exchange(object_, nullptr); }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  PyObject* object_;
};

/// A list of bytes objects; null with an exception set.
PyObject* to_list(const wire::FieldView& field) {
  Ref list{PyList_New(0)};
  if (!list) return nullptr;
  bool appended = true;
  const bool whole = wire::for_each_string(field, [&](std::string_view text) {
    const Ref item{PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()))};
    appended = appended && item && PyList_Append(list.get(), item.get()) == 0;
  });
  if (!appended) return nullptr;
  if (!whole) {
    PyErr_SetString(PyExc_ValueError, "a string has no end");
    return nullptr;
  }
  return list.release();
}

PyObject* malformed() {
  PyErr_SetString(PyExc_ValueError, "malformed message");
  return nullptr;
}

PyObject* to_import(const Request& request) {
  Ref modules{to_list(request.modules)};
  Ref paths{to_list(request.paths)};
  if (!modules || !paths) return nullptr;
  return Py_BuildValue("(sNN)", "import", modules.release(), paths.release());
}

/// Other threads of the interpreter may run meanwhile.
Inbox::Outcome receive_unlocked(Inbox& inbox, int channel) {
  Inbox::Outcome outcome{};
  Py_BEGIN_ALLOW_THREADS;
  outcome = inbox.receive(channel);
  Py_END_ALLOW_THREADS;
  return outcome;
}

/// receive(channel) -> ("fork", namespaces, channel) | ("spare", namespaces, channel) |
/// ("grow", channel) | ("park", channel) | ("import", modules, paths) | None at the end.
/// ValueError: a message that is none of these, and is dropped.
PyObject* receive(PyObject*, PyObject* arguments) {
  int channel = -1;
  if (!PyArg_ParseTuple(arguments, "i", &channel)) return nullptr;
  Inbox inbox;
  const Inbox::Outcome outcome = receive_unlocked(inbox, channel);
  if (outcome == Inbox::Outcome::end) Py_RETURN_NONE;
  if (outcome == Inbox::Outcome::refused) return malformed();
  const auto request = read_request(inbox);
  if (!request) return malformed();
  if (request->kind == wire::Kind::load) return to_import(*request);
  if (request->kind == wire::Kind::grow) return Py_BuildValue("(si)", "grow", request->channel);
  if (request->kind == wire::Kind::park) return Py_BuildValue("(si)", "park", request->channel);
  return Py_BuildValue("(sKi)", request->no_hurry ? "spare" : "fork",
                       static_cast<unsigned long long>(request->namespaces), request->channel);
}

/// wait(channel, milliseconds) -> whether receive() would not wait.
PyObject* wait(PyObject*, PyObject* arguments) {
  int channel = -1;
  int milliseconds = 0;
  if (!PyArg_ParseTuple(arguments, "ii", &channel, &milliseconds)) return nullptr;
  return PyBool_FromLong(wait_for_message(channel, milliseconds) ? 1 : 0);
}

/// abandoned(channel) -> whether nobody needs the spare any more that it is for.
PyObject* abandoned(PyObject*, PyObject* arguments) {
  int channel = -1;
  if (!PyArg_ParseTuple(arguments, "i", &channel)) return nullptr;
  return PyBool_FromLong(is_abandoned(channel) ? 1 : 0);
}

/// fork(namespaces, channel, is_spare) -> True in the child, which has said hello. The
/// interpreter's own at-fork hooks run, in the child while the Host gets on with its part.
PyObject* fork_child(PyObject*, PyObject* arguments) {
  unsigned long long namespaces = 0;
  int channel = -1;
  int is_spare = 0;
  if (!PyArg_ParseTuple(arguments, "Kip", &namespaces, &channel, &is_spare)) return nullptr;
  PyOS_BeforeFork();
  const Forked forked = fork_into_namespaces(namespaces);
  if (forked.side == Side::child) {
    if (is_spare != 0 && !join_waiting_groups(channel)) _exit(0);
    if (!say_hello(channel)) _exit(0);
    if (namespaces != 0)
      populate_working_set();  // A zygote should have as little of its own as can be.
    PyOS_AfterFork_Child();
    Py_RETURN_TRUE;
  }
  PyOS_AfterFork_Parent();
  if (forked.side == Side::zygote) Py_RETURN_FALSE;
  errno = forked.sys_errno;
  return PyErr_SetFromErrno(PyExc_OSError);
}

/// Of what this process will become.
Work& own_work() {
  static Work work;
  return work;
}

/// become(channel) -> (argv, env) as lists of bytes. Waits for the work, becomes what it says, and
/// closes every descriptor that is not the payload's. A step that fails ends the process.
PyObject* become(PyObject*, PyObject* arguments) {
  int channel = -1;
  if (!PyArg_ParseTuple(arguments, "i", &channel)) return nullptr;
  Inbox inbox;
  const Inbox::Outcome outcome = receive_unlocked(inbox, channel);
  if (outcome == Inbox::Outcome::end) Py_RETURN_NONE;
  if (outcome == Inbox::Outcome::refused || !own_work().read(inbox)) return malformed();
  Work& work = own_work();
  work.confine(channel);
  inbox.forget_descriptors();
  Ref argv{to_list(work.argv())};
  Ref env{to_list(work.env())};
  if (!argv || !env) return nullptr;
  return Py_BuildValue("(NN)", argv.release(), env.release());
}

/// park(channel) -> the channel of the process that was restored from this one. Never returns here.
PyObject* park_here(PyObject*, PyObject* arguments) {
  int channel = -1;
  if (!PyArg_ParseTuple(arguments, "i", &channel)) return nullptr;
  const int restored = park(channel);
  if (restored < 0) _exit(0);  // The Host has been told.
  return PyLong_FromLong(restored);
}

/// restored(channel) -> None for a zygote, or a payload's (argv, env) as lists of bytes. For a
/// payload the interpreter's at-fork hooks have run: it is a child like any other, but for how it
/// was made.
PyObject* restored(PyObject*, PyObject* arguments) {
  int channel = -1;
  if (!PyArg_ParseTuple(arguments, "i", &channel)) return nullptr;
  Inbox inbox;
  const auto role = receive_role(channel, inbox);
  if (!role) return malformed();
  if (role->kind == Role::Kind::zygote) {
    return_to_directory();
    forget_bounding_set();
    empty_bounding_set();
    Py_RETURN_NONE;
  }
  populate_working_set();
  PyOS_BeforeFork();
  PyOS_AfterFork_Child();
  reset_noted_signals();
  Ref argv{to_list(role->argv)};
  Ref env{to_list(role->env)};
  if (!argv || !env) return nullptr;
  return Py_BuildValue("(NN)", argv.release(), env.release());
}

PyObject* hello(PyObject*, PyObject* arguments) {
  int channel = -1;
  if (!PyArg_ParseTuple(arguments, "i", &channel)) return nullptr;
  return PyBool_FromLong(say_hello(channel) ? 1 : 0);
}

PyObject* failed(PyObject*, PyObject* arguments) {
  int channel = -1;
  const char* reason = nullptr;
  Py_ssize_t size = 0;
  int sys_errno = 0;
  if (!PyArg_ParseTuple(arguments, "is#i", &channel, &reason, &size, &sys_errno)) return nullptr;
  return PyBool_FromLong(
      say_failed(channel, {reason, static_cast<std::size_t>(size)}, sys_errno) ? 1 : 0);
}

PyObject* imported(PyObject*, PyObject* arguments) {
  int channel = -1;
  unsigned long long elapsed_ns = 0;
  if (!PyArg_ParseTuple(arguments, "iK", &channel, &elapsed_ns)) return nullptr;
  return PyBool_FromLong(say_imported(channel, elapsed_ns) ? 1 : 0);
}

/// note_own_signals(): those of the interpreter, which a child keeps.
PyObject* note_own(PyObject*, PyObject*) {
  note_own_signals();
  Py_RETURN_NONE;
}

/// settle(): what the next children need not do each for itself.
PyObject* settle(PyObject*, PyObject*) {
  note_signals();
  empty_bounding_set();
  Py_RETURN_NONE;
}

/// rehearse(): writes where become() will.
PyObject* rehearse(PyObject*, PyObject*) {
  Inbox{}.rehearse();
  own_work().rehearse();
  Py_RETURN_NONE;
}

/// record_working_set(pipe), learn_working_set(pipe): see working_set.hpp.
PyObject* record(PyObject*, PyObject* arguments) {
  int pipe = -1;
  if (!PyArg_ParseTuple(arguments, "i", &pipe)) return nullptr;
  return PyBool_FromLong(record_working_set(pipe) ? 1 : 0);
}

PyObject* learn(PyObject*, PyObject* arguments) {
  int pipe = -1;
  if (!PyArg_ParseTuple(arguments, "i", &pipe)) return nullptr;
  return PyBool_FromLong(learn_working_set(pipe) ? 1 : 0);
}

/// set_environment(variables): of the process, a dictionary of bytes; os.environ is not changed.
PyObject* set_environment(PyObject*, PyObject* arguments) {
  PyObject* variables = nullptr;
  if (!PyArg_ParseTuple(arguments, "O!", &PyDict_Type, &variables)) return nullptr;
  ::clearenv();
  PyObject* name = nullptr;
  PyObject* value = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(variables, &at, &name, &value) != 0;) {
    const char* const name_text = PyBytes_AsString(name);
    const char* const value_text = PyBytes_AsString(value);
    if (name_text == nullptr || value_text == nullptr) return nullptr;
    if (::setenv(name_text, value_text, 1) != 0) return PyErr_SetFromErrno(PyExc_OSError);
  }
  forget_first_environment();  // Or /proc/self/environ would still show the domain's.
  Py_RETURN_NONE;
}

/// unsafe_to_fork() -> None, or what the last import has done: "has started a thread".
PyObject* find_unsafe(PyObject*, PyObject*) {
  const char* const what = unsafe_to_fork();
  if (what == nullptr) Py_RETURN_NONE;
  return PyUnicode_DecodeFSDefault(what);
}

PyMethodDef methods[] = {
    {"receive", receive, METH_VARARGS, nullptr},
    {"wait", wait, METH_VARARGS, nullptr},
    {"fork", fork_child, METH_VARARGS, nullptr},
    {"become", become, METH_VARARGS, nullptr},
    {"park", park_here, METH_VARARGS, nullptr},
    {"restored", restored, METH_VARARGS, nullptr},
    {"abandoned", abandoned, METH_VARARGS, nullptr},
    {"hello", hello, METH_VARARGS, nullptr},
    {"failed", failed, METH_VARARGS, nullptr},
    {"imported", imported, METH_VARARGS, nullptr},
    {"note_own_signals", note_own, METH_NOARGS, nullptr},
    {"settle", settle, METH_NOARGS, nullptr},
    {"rehearse", rehearse, METH_NOARGS, nullptr},
    {"record_working_set", record, METH_VARARGS, nullptr},
    {"learn_working_set", learn, METH_VARARGS, nullptr},
    {"unsafe_to_fork", find_unsafe, METH_NOARGS, nullptr},
    {"set_environment", set_environment, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "sock_zygote_core",
    nullptr,
    -1,
    methods,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace
}  // namespace sock::zygote

PyMODINIT_FUNC PyInit_sock_zygote_core() {
  sock::zygote::note_first_environment();
  return PyModule_Create(&sock::zygote::definition);
}
