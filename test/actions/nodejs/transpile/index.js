/** Compiles TypeScript and reports its type errors: a large program that fills the heap. */
const ts = require("typescript");

function diagnose(source) {
  const options = { noEmit: true, strict: true, target: ts.ScriptTarget.ES2022 };
  const host = ts.createCompilerHost(options);
  const original = host.getSourceFile.bind(host);
  host.getSourceFile = (name, languageVersion) =>
    name === "action.ts" ? ts.createSourceFile(name, source, languageVersion) : original(name, languageVersion);
  const program = ts.createProgram(["action.ts"], options, host);
  return ts.getPreEmitDiagnostics(program).map((d) => `TS${d.code}: ${ts.flattenDiagnosticMessageText(d.messageText, " ")}`);
}

exports.main = ({ source }) => ({
  version: ts.version,
  javascript: ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2020 } }).outputText,
  errors: diagnose(source),
});
