// A stand-in for https://js.stripe.com/v3 that talks to the Stripe emulator: one card field,
// confirmCardPayment, confirmPayment, confirmCardSetup, retrievePaymentIntent, 3-D Secure in a frame.
(function () {
  "use strict";
  const API = "__API__";

  function encode(value, name, out) {
    if (value === undefined || value === null) return out;
    if (typeof value === "object") {
      Object.keys(value).forEach(function (key) {
        encode(value[key], name ? name + "[" + key + "]" : key, out);
      });
    } else {
      out.push(encodeURIComponent(name) + "=" + encodeURIComponent(value));
    }
    return out;
  }

  // The emulator shows one text field: number, MM/YY, CVC and postal code in one line.
  function CardElement(type, options) {
    this._type = type;
    this._listeners = {};
    this._options = options || {};
    this._node = document.createElement("input");
    this._node.placeholder = "4242 4242 4242 4242  12/34  123";
    this._node.setAttribute("aria-label", "Card number, expiry and CVC");
    this._node.autocomplete = "cc-number";
    this._node.className = "StripeElement";
    this._node.style.cssText = "width:100%;box-sizing:border-box;font:inherit;padding:.6rem";
    this._node.addEventListener("input", this._changed.bind(this));
    ["focus", "blur"].forEach(function (name) {
      this._node.addEventListener(name, this._emit.bind(this, name, {}));
    }, this);
  }
  CardElement.prototype = {
    mount: function (target) {
      const place = typeof target === "string" ? document.querySelector(target) : target;
      if (!place) throw new Error("IntegrationError: there is no element to mount to.");
      place.replaceChildren(this._node);
      setTimeout(this._emit.bind(this, "ready", this), 0);
    },
    unmount: function () { this._node.remove(); },
    destroy: function () { this._node.remove(); },
    clear: function () { this._node.value = ""; this._changed(); },
    focus: function () { this._node.focus(); },
    blur: function () { this._node.blur(); },
    update: function (options) {
      Object.assign(this._options, options);
      this._node.disabled = Boolean(this._options.disabled);
    },
    on: function (name, handler) {
      (this._listeners[name] = this._listeners[name] || []).push(handler);
      return this;
    },
    off: function (name, handler) {
      this._listeners[name] = (this._listeners[name] || []).filter(function (known) {
        return handler && known !== handler;
      });
      return this;
    },
    once: function (name, handler) {
      const self = this;
      return this.on(name, function once(event) { self.off(name, once); handler(event); });
    },
    _emit: function (name, event) {
      (this._listeners[name] || []).slice().forEach(function (handler) { handler(event); });
    },
    _read: function () {
      const text = this._node.value.trim();
      const match = /^([\d\s-]{12,23}?)\s+(\d{1,2})\s*\/\s*(\d{2,4})\s+(\d{3,4})(?:\s+(\S+))?$/.exec(text);
      if (!match) return null;
      return {
        number: match[1].replace(/\D/g, ""), exp_month: Number(match[2]),
        exp_year: Number(match[3]) < 100 ? 2000 + Number(match[3]) : Number(match[3]), cvc: match[4],
        postal_code: match[5],
      };
    },
    _changed: function () {
      const card = this._read();
      const empty = this._node.value.trim() === "";
      this._emit("change", {
        elementType: this._type, empty: empty, complete: Boolean(card), error: undefined,
        value: card && card.postal_code ? { postalCode: card.postal_code } : {},
      });
    },
  };

  function Elements(stripe, options) {
    this._stripe = stripe;
    this._options = options || {};
    this._made = {};
  }
  Elements.prototype = {
    create: function (type, options) {
      if (["card", "payment"].indexOf(type) < 0) {
        throw new Error("IntegrationError: the emulator's Stripe.js has no element '" + type + "'.");
      }
      this._made[type] = new CardElement(type, options);
      return this._made[type];
    },
    getElement: function (type) {
      if (typeof type === "function") type = type.__elementType;
      return this._made[type] || null;
    },
    update: function (options) { Object.assign(this._options, options); },
    submit: function () {
      const element = this._made.payment || this._made.card;
      return Promise.resolve(element && element._read() ? {} : { error: incomplete() });
    },
    fetchUpdates: function () { return Promise.resolve({}); },
  };

  function incomplete() {
    return { type: "validation_error", code: "incomplete_number", message: "Your card number is incomplete." };
  }

  // The customer agrees or refuses in a frame; the promise resolves when the intent has moved on.
  function challenge(stripe, kind, intent, secret) {
    const next = intent.next_action || {};
    const url = next.type === "redirect_to_url" ? next.redirect_to_url.url : next.use_stripe_sdk.stripe_js;
    const frame = document.createElement("iframe");
    frame.src = url;
    frame.title = "3-D Secure";
    frame.style.cssText = "position:fixed;inset:10% 20%;width:60%;height:60%;background:#fff;border:1px solid #888;z-index:9999";
    document.body.appendChild(frame);
    return new Promise(function (resolve) {
      const timer = setInterval(function () {
        stripe._get(kind, intent.id, secret).then(function (now) {
          if (now.error || now.status !== "requires_action") {
            clearInterval(timer);
            frame.remove();
            resolve(now);
          }
        });
      }, 500);
    });
  }

  function Stripe(key, options) {
    if (!/^pk_/.test(key || "")) {
      throw new Error("IntegrationError: Stripe() needs a publishable key.");
    }
    this._key = key;
    this._account = (options || {}).stripeAccount;
  }
  Stripe.prototype = {
    elements: function (options) { return new Elements(this, options); },
    _call: function (method, path, params) {
      const body = encode(params, "", []).join("&");
      const headers = { Authorization: "Bearer " + this._key };
      if (this._account) headers["Stripe-Account"] = this._account;
      if (method === "POST") headers["Content-Type"] = "application/x-www-form-urlencoded";
      const url = API + path + (method === "GET" && body ? "?" + body : "");
      return fetch(url, { method: method, headers: headers, body: method === "POST" ? body : undefined })
        .then(function (answer) { return answer.json(); })
        .catch(function () {
          return { error: { type: "api_connection_error", message: "The Stripe emulator does not answer." } };
        });
    },
    _get: function (kind, id, secret) {
      return this._call("GET", "/v1/" + kind + "/" + id, { client_secret: secret });
    },
    _confirm: function (kind, secret, params, ask) {
      const id = String(secret).split("_secret_")[0];
      const self = this;
      params.client_secret = secret;
      return this._call("POST", "/v1/" + kind + "/" + id + "/confirm", params).then(function (intent) {
        if (!intent.error && intent.status === "requires_action" && ask) {
          return challenge(self, kind, intent, secret);
        }
        return intent;
      });
    },
    _result: function (name, answer) {
      const failed = answer.error || answer.last_payment_error || answer.last_setup_error;
      if (answer.error || (answer.status === "requires_payment_method" && failed)) return { error: failed };
      const result = {};
      result[name] = answer;
      return result;
    },
    _method: function (given) {
      if (!given || typeof given === "string") return { payment_method: given };
      const data = { type: "card", billing_details: given.billing_details };
      if (given.card instanceof CardElement) {
        const card = given.card._read();
        if (!card) return { error: incomplete() };
        data.card = { number: card.number, exp_month: card.exp_month, exp_year: card.exp_year, cvc: card.cvc };
      } else {
        data.card = given.card;
      }
      return { payment_method_data: data };
    },
    confirmCardPayment: function (secret, data, options) {
      const method = this._method((data || {}).payment_method);
      if (method.error) return Promise.resolve({ error: method.error });
      const params = Object.assign({}, method, {
        return_url: (data || {}).return_url, receipt_email: (data || {}).receipt_email,
        setup_future_usage: (data || {}).setup_future_usage, shipping: (data || {}).shipping,
      });
      const ask = !options || options.handleActions !== false;
      return this._confirm("payment_intents", secret, params, ask)
        .then(this._result.bind(this, "paymentIntent"));
    },
    confirmCardSetup: function (secret, data, options) {
      const method = this._method((data || {}).payment_method);
      if (method.error) return Promise.resolve({ error: method.error });
      const ask = !options || options.handleActions !== false;
      return this._confirm("setup_intents", secret, method, ask)
        .then(this._result.bind(this, "setupIntent"));
    },
    confirmPayment: function (options) {
      const elements = options.elements;
      const secret = options.clientSecret || (elements && elements._options.clientSecret);
      const element = elements && (elements._made.payment || elements._made.card);
      const given = options.confirmParams || {};
      const chosen = element
        ? { card: element, billing_details: (given.payment_method_data || {}).billing_details }
        : given.payment_method;
      const after = options.redirect === "if_required" ? undefined : given.return_url;
      return this.confirmCardPayment(secret, { payment_method: chosen }).then(function (result) {
        if (!result.error && after) {
          const glue = after.indexOf("?") < 0 ? "?" : "&";
          location.href = after + glue + "payment_intent=" + result.paymentIntent.id +
            "&payment_intent_client_secret=" + secret + "&redirect_status=succeeded";
        }
        return result;
      });
    },
    retrievePaymentIntent: function (secret) {
      return this._get("payment_intents", String(secret).split("_secret_")[0], secret)
        .then(this._result.bind(this, "paymentIntent"));
    },
    handleNextAction: function (options) {
      const self = this;
      return this.retrievePaymentIntent(options.clientSecret).then(function (result) {
        if (result.error || result.paymentIntent.status !== "requires_action") return result;
        return challenge(self, "payment_intents", result.paymentIntent, options.clientSecret)
          .then(self._result.bind(self, "paymentIntent"));
      });
    },
    // What @stripe/react-stripe-js looks for before it trusts an object to be Stripe.
    createToken: function () { return Promise.reject(new Error("Tokens are not imitated.")); },
    createPaymentMethod: function () {
      return Promise.resolve({ error: { message: "A publishable key may only confirm intents here." } });
    },
    registerAppInfo: function () {},
  };

  function makeStripe(key, options) { return new Stripe(key, options); }
  makeStripe.version = 3;
  window.Stripe = makeStripe;
})();
