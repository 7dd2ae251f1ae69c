// Where in S3 code is: Amazon's hosts or another's, the bucket in the host or in the path.

import { expect } from "chai";
import { type S3Settings, urlOf } from "../../../invoker/store/attachments/s3.ts";

describe("the address of code in S3", () => {
  const forms: readonly (readonly [what: string, settings: Partial<S3Settings>, start: string])[] = [
    ["of Amazon's", {}, "https://s3.eu-west-1.amazonaws.com/code/"],
    ["of Amazon's in China", { region: "cn-north-1" }, "https://s3.cn-north-1.amazonaws.com.cn/code/"],
    ["of Amazon's, the bucket in the host", { pathStyle: false }, "https://code.s3.eu-west-1.amazonaws.com/"],
    ["of another", { endpoint: "http://minio:9000/" }, "http://minio:9000/code/"],
    [
      "of another, the bucket in the host",
      { endpoint: "http://minio:9000", pathStyle: false },
      "http://code.minio:9000/",
    ],
    [
      "of another that says where in the host it is",
      { endpoint: "http://{bucket}.store:9000", pathStyle: false },
      "http://code.store:9000/",
    ],
  ];
  for (const [what, more, start] of forms) {
    it(`is one ${what}`, () => {
      const settings = { bucket: "code", region: "eu-west-1", pathStyle: true, ...more };
      expect(urlOf(settings, "guest/a b", "n").href).to.equal(`${start}whiskentity/guest/a%20b/n`);
      expect(urlOf({ ...settings, prefix: "p/q" }, "guest/a", "n").href).to.equal(
        `${start}p/q/whiskentity/guest/a/n`,
      );
    });
  }
});
