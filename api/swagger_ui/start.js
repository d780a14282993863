// Ours: starts Swagger UI on the description of this service. Where the service asks for a key, so does the page: it is
// kept in this tab alone, and sent with every call that is tried out here. It asks nobody else, hence no validator.
window.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("swagger-ui");

  function headers(key) {
    return key ? { Authorization: `Bearer ${key}` } : {};
  }

  async function show(key) {
    const answer = await fetch("openapi.json", { headers: headers(key), cache: "no-store" });
    if (answer.status === 401) {
      ask(key ? (await answer.json()).detail : "This service needs a key.");
      return;
    }
    SwaggerUIBundle({
      spec: await answer.json(),
      dom_id: "#swagger-ui",
      validatorUrl: null,
      deepLinking: true,
      requestInterceptor: (request) => {
        request.headers = { ...headers(key), ...request.headers };
        return request;
      },
    });
  }

  function ask(why) {
    const form = document.createElement("form");
    const text = document.createElement("p");
    const label = document.createElement("label");
    const key = document.createElement("input");
    const button = document.createElement("button");
    text.textContent = why;
    label.textContent = "API key: ";
    key.type = "password";
    key.autocomplete = "off";
    key.required = true;
    button.textContent = "Show the API";
    label.append(key);
    form.append(text, label, button);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      show(key.value.trim());
    });
    place.replaceChildren(form);
    key.focus();
  }

  show("");
});
