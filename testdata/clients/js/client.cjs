// Makes calls with the AWS SDK for JavaScript. A call is a line of JSON on stdin, its result a line on stdout.
const control = require("@aws-sdk/client-kinesis-video");
const media = require("@aws-sdk/client-kinesis-video-archived-media");
const readline = require("node:readline");

async function make({ operation, input, endpoint, pages }, result) {
  const sdk = operation === "GetImages" ? media : control;
  const Client = sdk.KinesisVideoArchivedMediaClient ?? sdk.KinesisVideoClient;
  const client = new Client(endpoint ? { endpoint } : {});
  for (const time of ["StartTimestamp", "EndTimestamp"]) {
    if (time in input) input[time] = new Date(input[time]);
  }
  try {
    if (!pages) {
      result.pages.push(await client.send(new sdk[operation + "Command"](input)));
      return;
    }
    for await (const page of sdk["paginate" + operation]({ client }, input)) {
      if (result.pages.push(page) === pages) return;
    }
  } catch (e) {
    if (!e.$metadata) throw e;
    result.error = {
      type: e.constructor.name,
      code: e.name,
      status: e.$metadata.httpStatusCode,
      requestId: e.$metadata.requestId,
    };
  } finally {
    client.destroy();
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const result = { pages: [] };
    await make(JSON.parse(line), result);
    console.log(JSON.stringify(result));
  }
})();
