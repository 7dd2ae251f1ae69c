// What options of `docker run` mean for lean containers.

import { expect } from "chai";
import { dockerOnly, leanArguments } from "../../../invoker/lean-arguments.ts";

describe("options of docker run", () => {
  it("hold for lean containers too where those have the like", () => {
    const options = {
      ...{ "pids-limit": ["64"], ulimit: ["nofile=9:20"], dns: ["1.1.1.1", "9.9.9.9"] },
      ...{ "dns-search": ["example"], "dns-opt": ["ndots:2"], env: ["A=1=2", "B="] },
    };
    expect(leanArguments(options)).to.deep.equal({
      ...{ pidsMax: 64, openFiles: 9, dnsServers: ["1.1.1.1", "9.9.9.9"] },
      ...{ dnsSearch: ["example"], dnsOptions: ["ndots:2"], environment: { A: "1=2", B: "" } },
    });
    expect(dockerOnly(options)).to.deep.equal([]);
  });

  it("hold for Docker's alone otherwise, by name or by value", () => {
    const options = {
      ...{ cpus: ["1"], label: ["a=b"], "pids-limit": ["-1"] },
      ...{ ulimit: ["nofile=9", "core=0"], env: ["A=1", "B"] },
    };
    expect(dockerOnly(options)).to.deep.equal(Object.keys(options));
    expect(leanArguments(options)).to.deep.equal({});
  });
});
