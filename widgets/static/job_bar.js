// The jobs of a session, as a view of their own.
import { jobList } from "./jobs.js";
import { mountView } from "./view.js";

function renderJobBar(context) {
  return mountView(context, "job-bar", "Jobs", (body, signal) => jobList(context.model, body, signal, "No job is running."));
}

const jobBar = { render: renderJobBar };
export default jobBar;
